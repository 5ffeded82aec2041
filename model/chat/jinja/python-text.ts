/** What str.isspace of Python holds true: more control characters than JavaScript's \s, and no U+FEFF. */
const space = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`;
const spaceBefore = new RegExp(`^${space}+`);
const spaceBehind = new RegExp(`${space}+$`);
const onlySpace = new RegExp(`^${space}*$`);

/** Whether a text holds nothing but what Python's str.strip() takes off. */
export const isBlank = (text: string): boolean => onlySpace.test(text);

/**
 * Python's str.lstrip.
 *
 * @param characters the set of those to take off; spaces where it is left out
 */
export function stripBefore(text: string, characters?: string): string {
  if (characters === undefined) return text.replace(spaceBefore, '');
  let from = 0;
  while (from < text.length && characters.includes(text[from])) from++;
  return text.slice(from);
}

/** Python's str.rstrip. */
export function stripBehind(text: string, characters?: string): string {
  if (characters === undefined) {
    // A search for spaces at the end alone would try every space of a long text.
    let from = text.length;
    while (from > 0 && spaceBehind.test(text[from - 1])) from--;
    return text.slice(0, from);
  }
  let to = text.length;
  while (to > 0 && characters.includes(text[to - 1])) to--;
  return text.slice(0, to);
}

/** Python's str.capitalize. */
export const capitalized = (text: string): string =>
  text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();

/**
 * Python's str.format, as far as templates use it.
 *
 * @throws Error where a place is told otherwise than by {} or {0}
 */
export function formatted(pattern: string, values: readonly string[]): string {
  let next = 0;
  return pattern.replaceAll(/\{\{|\}\}|\{(\d*)\}|[{}]/g, (place, index: string | undefined) => {
    if (place === '{{' || place === '}}') return place[0];
    const value = values[index ? Number(index) : next++];
    if (index === undefined || value === undefined)
      throw new Error(`it formats by ${JSON.stringify(pattern)}`);
    return value;
  });
}

/** Python's repr of a string. */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll(/[\\'"]|(?! )[\p{C}\p{Z}]/gu, (character) => {
    if (character === "'" || character === '"') return character === quote ? `\\${character}` : character;
    const short = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    if (short !== undefined) return short;
    const code = character.codePointAt(0)!.toString(16);
    if (code.length <= 2) return `\\x${code.padStart(2, '0')}`;
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
  });
  return quote + escaped + quote;
}

/** Python's repr of a float. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
  const [digits, exponent] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 16)
    return `${digits}e${power < 0 ? '-' : '+'}${`${Math.abs(power)}`.padStart(2, '0')}`;
  if (Number.isInteger(value)) return `${Object.is(value, -0) ? '-0' : value}.0`;
  return power < -1 ? value.toFixed(digits.replace(/^-?\d\.?/, '').length - power) : String(value);
}
