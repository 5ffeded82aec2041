/** Natural logarithms of probabilities in the model's own distribution. */
export interface LogProbabilities {
  /** Of the token that was chosen. */
  readonly chosen: number;
  /** The most probable tokens, by falling probability, of equally probable ones the lowest id first. */
  readonly ids: Int32Array;
  /** Of these. */
  readonly values: Float64Array;
}

/**
 * log softmax of one token's logits: as the model gives them, before temperature and top_p.
 *
 * @param logits [vocabulary]
 * @param count how many of the most probable tokens
 */
export function logProbabilitiesOf(logits: Float32Array, chosen: number, count: number): LogProbabilities {
  const ids = mostProbable(logits, Math.min(Math.max(1, count), logits.length));
  const largest = logits[ids[0]];
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id] - largest);
  const normalizer = largest + Math.log(sum);
  const asked = ids.subarray(0, count);
  return {
    chosen: logits[chosen] - normalizer,
    ids: asked,
    values: Float64Array.from(asked, (id) => logits[id] - normalizer),
  };
}

/** Ids of the largest values, the largest first. */
function mostProbable(logits: Float32Array, count: number): Int32Array {
  const ids = new Int32Array(count);
  let found = 0;
  for (let id = 0; id < logits.length; id++) {
    if (found === count && !(logits[id] > logits[ids[found - 1]])) continue;
    let place = found < count ? found++ : found - 1;
    for (; place > 0 && logits[id] > logits[ids[place - 1]]; place--) ids[place] = ids[place - 1];
    ids[place] = id;
  }
  return ids;
}
