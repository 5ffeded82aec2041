/** Id of a teacher's token that the target has no equal of. */
export const NOT_MAPPED = -1;

/** The part of a tokenizer that tells what its tokens stand for. */
export interface TokenVocabulary {
  /** Largest id + 1. */
  readonly vocabularySize: number;
  /** The bytes that a token stands for; undefined for special tokens and ids without a token. */
  tokenBytes(id: number): string | undefined;
}

/**
 * Maps a teacher's vocabulary to the target's by equal bytes of text. Special tokens have no equal. Where
 * several ids of the target stand for the same bytes, the first is taken.
 *
 * @returns [teacher vocabulary] target id of each teacher id, or {@link NOT_MAPPED}
 */
export function exactVocabularyMap(
  teacher: TokenVocabulary,
  target: TokenVocabulary,
): Int32Array<ArrayBuffer> {
  const idOf = new Map<string, number>();
  for (let id = target.vocabularySize - 1; id >= 0; id--) {
    const bytes = target.tokenBytes(id);
    if (bytes !== undefined) idOf.set(bytes, id);
  }
  const map = new Int32Array(teacher.vocabularySize).fill(NOT_MAPPED);
  for (let id = 0; id < map.length; id++) {
    const bytes = teacher.tokenBytes(id);
    if (bytes !== undefined) map[id] = idOf.get(bytes) ?? NOT_MAPPED;
  }
  return map;
}

/** The map of a vocabulary to itself, special tokens included. */
export function identicalVocabularyMap(vocabularySize: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: vocabularySize }, (_, id) => id);
}
