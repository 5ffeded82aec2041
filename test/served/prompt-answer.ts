import type { PromptRows } from './served-model.ts';

/** A token that an answer names. */
export interface Entry {
  readonly id: number;
  /** Natural. */
  readonly logProbability: number;
  /** 1 for the most probable token of the vocabulary. */
  readonly rank: number;
}

/** One row of an answer. */
export interface AnswerRow {
  /** The token that follows in the prompt, or the one that was generated. */
  readonly actual: Entry;
  /** The k most probable, by falling probability. */
  readonly top: readonly Entry[];
}

/** What a server says of a prompt of n tokens, in no protocol yet. */
export interface PromptAnswer {
  /** [n] */
  readonly ids: readonly number[];
  readonly vocabularySize: number;
  /** [n − 1] row i is of token i + 1. */
  readonly prompt: readonly AnswerRow[];
  /** Of the token behind the prompt. */
  readonly generated: AnswerRow;
}

export function promptAnswer(rows: PromptRows, k: number): PromptAnswer {
  const { ids, vocabularySize } = rows;
  const n = ids.length;
  const row = (i: number, actual: number): AnswerRow => ({
    actual: entryOf(rows, i, actual),
    top: Array.from({ length: k }, (_, rank) => entryAt(rows, i, rank)),
  });
  return {
    ids: [...ids],
    vocabularySize,
    prompt: Array.from({ length: n - 1 }, (_, i) => row(i, ids[i + 1])),
    generated: row(n - 1, sampled(rows)),
  };
}

const entryAt = (
  { vocabularySize, order, logProbabilities }: PromptRows,
  i: number,
  rank: number,
): Entry => ({
  id: order[i * vocabularySize + rank],
  logProbability: logProbabilities[i * vocabularySize + rank],
  rank: rank + 1,
});

function entryOf(rows: PromptRows, i: number, id: number): Entry {
  const { vocabularySize, order } = rows;
  return entryAt(rows, i, order.subarray(i * vocabularySize, (i + 1) * vocabularySize).indexOf(id));
}

/** A token drawn from the last row at temperature 1, the same for the same prompt: often not among the likely ones. */
function sampled({ ids, vocabularySize, order, logProbabilities }: PromptRows): number {
  const first = (ids.length - 1) * vocabularySize;
  const seed = ids.reduce((sum, id) => (sum * 31 + id + 7) >>> 0, 17);
  let left = (Math.imul(seed, 2654435761) >>> 0) / 2 ** 32;
  for (let j = first; j < first + vocabularySize; j++) {
    left -= Math.exp(logProbabilities[j]);
    if (left <= 0) return order[j];
  }
  return order[first + vocabularySize - 1];
}
