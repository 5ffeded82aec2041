import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import type { FusionSettings } from './fusion-settings.ts';

/** What is needed of a source's distributions to weigh it. */
export type WeighedSource = Pick<
  TextDistribution,
  'teacher' | 'crossEntropy' | 'predictedBytes' | 'predictedTokens'
>;

/**
 * How much each source counts in one text: 0 for one that the document was joined without. They sum to 1, or all are 0
 * where fixed weights give the others none. FuseLLM (arXiv 2401.10491, section 3.3): MinCE gives
 * all to the source that predicts the text best, the first of equals; AvgCE weighs by softmax over exp(−CE).
 * By evidence all weigh the same before the text.
 *
 * @param sources one document's distributions, one a source; undefined for one that it was joined without
 * @returns [sources]
 */
export function sourceWeights(
  sources: readonly (WeighedSource | undefined)[],
  { combine, weights, crossEntropyPer }: Pick<FusionSettings, 'combine' | 'weights' | 'crossEntropyPer'>,
): Float64Array {
  switch (combine) {
    case 'minCE': {
      const result = new Float64Array(sources.length);
      const best = leastCrossEntropy(sources, crossEntropyPer);
      if (best !== -1) result[best] = 1;
      return result;
    }
    case 'evidence':
      return normalised(sources.map((source) => Number(source !== undefined)));
    case 'avgCE':
      return normalised(
        sources.map((source) =>
          source === undefined ? 0 : Math.exp(Math.exp(-meanCrossEntropy(source, crossEntropyPer))),
        ),
      );
    case 'fixed':
      return normalised(sources.map((source) => (source && weights[source.teacher]) ?? 0));
  }
}

/** Index of the source of least mean cross-entropy, the first of equals; −1 where there is none. */
function leastCrossEntropy(
  sources: readonly (WeighedSource | undefined)[],
  per: FusionSettings['crossEntropyPer'],
): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (const [i, source] of sources.entries()) {
    if (source === undefined) continue;
    const mean = meanCrossEntropy(source, per);
    if (best === -1 || mean < least) [best, least] = [i, mean];
  }
  return best;
}

/** Nats per byte or token. A source that predicted nothing (the text is one token to it) comes after all others. */
function meanCrossEntropy(source: WeighedSource, per: FusionSettings['crossEntropyPer']): number {
  const count = per === 'byte' ? source.predictedBytes : source.predictedTokens;
  return count === 0 ? Number.POSITIVE_INFINITY : source.crossEntropy / count;
}

function normalised(weights: readonly number[]): Float64Array {
  const sum = weights.reduce((a, b) => a + b, 0);
  return Float64Array.from(weights, (weight) => (sum > 0 ? weight / sum : 0));
}
