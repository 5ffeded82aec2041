import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';

/**
 * MinCE of FuseLLM (arXiv 2401.10491, section 3.3): the source that predicts a text best teaches it. Sources
 * with different tokenizers are compared by nats per UTF-8 byte of predicted text.
 *
 * @param sources one document's distributions, one a source; never empty
 * @returns index of the best source, the first of equals
 */
export function chooseByMinimumCrossEntropy(
  sources: readonly Pick<TextDistribution, 'crossEntropy' | 'predictedBytes'>[],
): number {
  let best = 0;
  for (let i = 1; i < sources.length; i++) {
    if (natsPerByte(sources[i]) < natsPerByte(sources[best])) best = i;
  }
  return best;
}

/** A source that predicted nothing (the text is one token to it) stands behind all others. */
function natsPerByte(source: Pick<TextDistribution, 'crossEntropy' | 'predictedBytes'>): number {
  return source.predictedBytes === 0 ? Number.POSITIVE_INFINITY : source.crossEntropy / source.predictedBytes;
}
