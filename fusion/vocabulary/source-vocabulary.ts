import { exactVocabularyMap, identicalVocabularyMap, NOT_MAPPED } from './exact-map.ts';
import { prefixVocabularyMap, type TextCutter } from './prefix-map.ts';

/** How a source's tokens relate to the target's. */
export interface SourceVocabulary {
  /** [source vocabulary] id in the target's vocabulary, or −1. */
  readonly ids: Int32Array;
  /** [source vocabulary] 1 where the target's token stands for the same text, 0 where a rule chose it. */
  readonly exact: Uint8Array;
  /** [source vocabulary] 1 where the source cuts some token of the target into this one and others. */
  readonly beginsLonger: Uint8Array;
}

/** The vocabulary of a source that has the target's tokenizer. */
export const sameVocabulary = (size: number): SourceVocabulary => ({
  ids: identicalVocabularyMap(size),
  exact: new Uint8Array(size).fill(1),
  beginsLonger: new Uint8Array(size),
});

/**
 * @param ids the chosen vocabulary map; it counts as exact where the target has a token of the same text and it names that one
 */
export async function sourceVocabulary(
  ids: Int32Array,
  source: TextCutter,
  target: TextCutter,
): Promise<SourceVocabulary> {
  const equal = exactVocabularyMap(source, target);
  const exact = Uint8Array.from(ids, (id, i) => Number(id !== NOT_MAPPED && id === equal[i]));
  return { ids, exact, beginsLonger: await tokensThatBeginLonger(source, target) };
}

/**
 * A vocabulary of which nothing becomes a token for which the target's model has no logit.
 *
 * @param known target ids from here on the model does not know
 */
export function withinModel(vocabulary: SourceVocabulary, known: number): SourceVocabulary {
  const { ids, exact } = vocabulary;
  if (ids.every((id) => id < known)) return vocabulary;
  return {
    ...vocabulary,
    ids: ids.map((id) => (id < known ? id : NOT_MAPPED)),
    exact: exact.map((one, i) => (ids[i] < known ? one : 0)),
  };
}

/** Which of the source's tokens begin a token of the target that the source does not have. */
async function tokensThatBeginLonger(source: TextCutter, target: TextCutter): Promise<Uint8Array> {
  const firstTokens = await prefixVocabularyMap(target, source);
  const equal = exactVocabularyMap(target, source);
  const begins = new Uint8Array(source.vocabularySize);
  for (const [id, first] of firstTokens.entries()) {
    if (first !== NOT_MAPPED && equal[id] === NOT_MAPPED) begins[first] = 1;
  }
  return begins;
}
