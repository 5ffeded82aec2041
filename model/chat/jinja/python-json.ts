/** A float whose value is whole: Python writes 1.0 where JavaScript has nothing but 1. */
export class WholeFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** No JSON that people write has such a key. */
const key = '\0whole float';
const stringsAndNumbers = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs;

/**
 * json.loads: numbers with a point or an exponent are floats, also where they are whole.
 *
 * @throws SyntaxError where the text is no JSON, RangeError where it holds a number that JavaScript has not
 */
export function parsePythonJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  let floats = false;
  const marked = text.replaceAll(stringsAndNumbers, (token) => {
    if (token.startsWith('"')) return token;
    const value = Number(token);
    const isFloat = /[.eE]/.test(token);
    if (isFloat ? !Number.isFinite(value) : !Number.isSafeInteger(value)) {
      throw new RangeError(
        `it holds the number ${token}, which cannot be kept exactly: write it as a string`,
      );
    }
    if (!isFloat || !Number.isInteger(value)) return token;
    floats = true;
    return `{${JSON.stringify(key)}:${token}}`;
  });
  if (!floats) return plain;
  return JSON.parse(marked, (_, value) =>
    typeof value === 'object' && value !== null && key in value ? new WholeFloat(value[key]) : value,
  );
}
