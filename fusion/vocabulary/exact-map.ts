/** Stands for a token of the source that becomes no token of the target. */
export const NOT_MAPPED = -1;

/** The part of a tokenizer that tells what its tokens stand for. */
export interface TokenVocabulary {
  /** Largest id + 1. */
  readonly vocabularySize: number;
  /** The bytes that a token stands for; undefined for special tokens and ids without a token. */
  tokenBytes(id: number): string | undefined;
  /** Whether a token stands for a byte of characters that have no token of their own. */
  isByteFallback(id: number): boolean;
}

/**
 * Id of the token that stands for some bytes. Where several do, it is one that is no byte fallback (Llama-2 has
 * "a" and <0x61>, and only ever writes the former), of these the first.
 */
export function idByBytes(vocabulary: TokenVocabulary): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const fallback of [true, false]) {
    for (let id = vocabulary.vocabularySize - 1; id >= 0; id--) {
      const bytes = vocabulary.tokenBytes(id);
      if (bytes !== undefined && vocabulary.isByteFallback(id) === fallback) ids.set(bytes, id);
    }
  }
  return ids;
}

/**
 * Maps a source's vocabulary to the target's by equal bytes of text. Special tokens have no equal.
 *
 * @returns [source vocabulary] target id of each source id, or {@link NOT_MAPPED}
 */
export function exactVocabularyMap(
  source: TokenVocabulary,
  target: TokenVocabulary,
): Int32Array<ArrayBuffer> {
  const idOf = idByBytes(target);
  const map = new Int32Array(source.vocabularySize).fill(NOT_MAPPED);
  for (let id = 0; id < map.length; id++) {
    const bytes = source.tokenBytes(id);
    if (bytes !== undefined) map[id] = idOf.get(bytes) ?? NOT_MAPPED;
  }
  return map;
}

/** The map of a vocabulary to itself, special tokens included. */
export function identicalVocabularyMap(vocabularySize: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: vocabularySize }, (_, id) => id);
}
