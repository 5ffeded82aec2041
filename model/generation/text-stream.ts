/** Decides how much of a growing text can be sent already. */
export interface TextStream {
  /**
   * @param text everything generated so far
   * @returns its new part that is final; `stopped` is the stop string that it contains, which is not sent
   */
  advance(text: string): { readonly text: string; readonly stopped?: string };
  /** The rest, after the last token. */
  end(): string;
}

/** Stands for bytes that do not make a whole character yet. */
const replacement = '\uFFFD';

/**
 * Sends a growing text in pieces and holds back what the next token may change: half a character, or the
 * beginning of a stop string.
 */
export function createTextStream(stop: readonly string[]): TextStream {
  let whole = '';
  let given = 0;
  const giveUntil = (end: number) => {
    const piece = whole.slice(given, end);
    given = Math.max(given, end);
    return piece;
  };
  return {
    advance(text) {
      whole = text;
      let [first, stopped] = [whole.length, undefined as string | undefined];
      for (const string of stop) {
        const index = whole.indexOf(string, given);
        if (index >= 0 && index < first) [first, stopped] = [index, string];
      }
      if (stopped !== undefined) return { text: giveUntil(first), stopped };
      return { text: giveUntil(certainLength(whole, stop)) };
    },
    end: () => giveUntil(whole.length),
  };
}

/** How much of the text no further token can change. */
function certainLength(text: string, stop: readonly string[]): number {
  let length = text.length;
  while (length > 0 && text[length - 1] === replacement) length--;
  for (let begin = Math.max(0, length - longest(stop) + 1); begin < length; begin++) {
    const tail = text.slice(begin, length);
    if (stop.some((string) => string.startsWith(tail))) return begin;
  }
  return length;
}

const longest = (strings: readonly string[]): number => Math.max(1, ...strings.map(({ length }) => length));
