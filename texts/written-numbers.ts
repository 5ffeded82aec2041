/** Strings of a JSON text, which may hold digits, and its numbers. */
const stringsAndNumbers = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs;

/**
 * A number of a JSON text that is written otherwise once it was read: 1.0, which JavaScript knows as 1 alone, while
 * Python tells them apart, and so does what its templates write.
 *
 * @param kept what was read of the text, as JSON again: only its numbers matter
 * @returns as the text has it; undefined where there is none
 */
export function rewrittenNumber(json: string, kept: readonly string[]): string | undefined {
  const numbers = new Set(kept.flatMap(numbersOf));
  if (numbers.size === 0) return undefined;
  return numbersOf(json).find(
    (number) => String(Number(number)) !== number && numbers.has(String(Number(number))),
  );
}

const numbersOf = (json: string): string[] =>
  (json.match(stringsAndNumbers) ?? []).filter((token) => !token.startsWith('"'));
