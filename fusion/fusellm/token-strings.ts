/** The part of a tokenizer that tells how its vocabulary spells its tokens. */
export interface TokenStrings {
  /** Largest id + 1. */
  readonly vocabularySize: number;
  /** The character that stands for a space: 'Ġ', '▁', or '' where none does. */
  readonly spaceMark: string;
  /** A token as the vocabulary spells it; undefined for ids without a token. */
  tokenString(id: number): string | undefined;
}

/** Strings as Unicode code points, one after another: one flat array, as pairs of them are compared often. */
export interface PackedStrings {
  /** Code points of all strings. */
  readonly points: Int32Array;
  /** [n + 1] where each string begins. */
  readonly offsets: Int32Array;
}

/**
 * A token's string with its space marks exchanged.
 *
 * @param from the mark of its own vocabulary
 * @param to the mark of another one; '' removes the marks
 */
export function respell(string: string, from: string, to: string): string {
  return from === '' ? string : string.replaceAll(from, to);
}

/** Strings of a whole vocabulary by id, with the space marks exchanged: {@link respell}. */
export function respelledStrings(tokens: TokenStrings, to: string): (string | undefined)[] {
  return Array.from({ length: tokens.vocabularySize }, (_, id) => {
    const string = tokens.tokenString(id);
    return string === undefined ? undefined : respell(string, tokens.spaceMark, to);
  });
}

/** Packs strings; a missing one is empty. */
export function packStrings(strings: readonly (string | undefined)[]): PackedStrings {
  const offsets = new Int32Array(strings.length + 1);
  const points: number[] = [];
  for (const [i, string] of strings.entries()) {
    // Walks code points: a character beyond U+FFFF is one, as in Python.
    for (const character of string ?? '') points.push(character.codePointAt(0)!);
    offsets[i + 1] = points.length;
  }
  return { points: Int32Array.from(points), offsets };
}
