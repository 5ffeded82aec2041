import type { Session } from '../runtime/session.ts';
import type { PaddedScores } from './padded-scores.ts';
import { padTexts } from './padded-texts.ts';

/**
 * Rows that the head takes at once: as many as its product needs for its full speed, as few as keep the logits
 * small (50 MB for 49,152 tokens).
 */
const rowsAtOnce = 256;

/** Runs the two parts of ScoringModels on the token ids of texts. Rows of padding are zeros. */
export async function scoreInParts(
  { body, head }: { readonly body: Session; readonly head: Session },
  texts: readonly Int32Array[],
  topK: number,
): Promise<PaddedScores> {
  const { length, inputIds, positions, labels } = padTexts(texts);
  const size = inputIds.length;
  const shape = [texts.length, length];
  const results = await body.run({
    input_ids: { data: inputIds, shape },
    position_ids: { data: positions, shape },
  });
  const hiddenStates = results['hidden_states'] as Float32Array;
  const width = hiddenStates.length / size;

  const scores = {
    length,
    candidateIds: new Int32Array(size * topK),
    logProbabilities: new Float32Array(size * topK),
    labelLogProbabilities: new Float32Array(size),
  };
  const tokens = rowsOfTokens(texts, length);
  for (let begin = 0; begin < tokens.length; begin += rowsAtOnce) {
    const rows = tokens.subarray(begin, begin + rowsAtOnce);
    const hiddenStatesOfRows = new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      hiddenStatesOfRows.set(hiddenStates.subarray(row * width, (row + 1) * width), i * width);
    });
    const found = await head.run({
      hidden_states: { data: hiddenStatesOfRows, shape: [rows.length, width] },
      labels: { data: rows.map((row) => labels[row]), shape: [rows.length, 1] },
      k: { data: BigInt64Array.of(BigInt(topK)), shape: [1] },
    });
    const candidateIds = found['candidate_ids'] as Int32Array;
    const logProbabilities = found['log_probabilities'] as Float32Array;
    rows.forEach((row, i) => {
      scores.candidateIds.set(candidateIds.subarray(i * topK, (i + 1) * topK), row * topK);
      scores.logProbabilities.set(logProbabilities.subarray(i * topK, (i + 1) * topK), row * topK);
      scores.labelLogProbabilities[row] = found['label_log_probabilities'][i] as number;
    });
  }
  return scores;
}

/** Rows that hold a token and no padding. */
function rowsOfTokens(texts: readonly Int32Array[], length: number): Int32Array<ArrayBuffer> {
  const rows = new Int32Array(texts.reduce((sum, ids) => sum + ids.length, 0));
  let next = 0;
  for (const [text, ids] of texts.entries()) {
    for (let t = 0; t < ids.length; t++) rows[next++] = text * length + t;
  }
  return rows;
}
