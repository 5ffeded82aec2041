import { type Alignment, says } from '../align/alignment.ts';
import type { ReadRow } from './source-row.ts';
import { addTo } from './sparse-row.ts';

/** A probability of 0 would read as no word of the source; the loss takes no smaller one anyway. */
const leastProbability = 1e-30;

/**
 * Rows of a source of which the text's own next token is all that counts, as for a policy gradient.
 *
 * @param kinds of its alignment: where it says nothing, so does the row
 * @param logProbabilities [n] of the next token; NaN where the source says nothing about it
 */
export const rowsOfLabels =
  ({ kinds }: Pick<Alignment, 'kinds'>, logProbabilities: Float64Array): ReadRow =>
  (position, label, row, mass) => {
    row.count = 0;
    const logProbability = logProbabilities[position];
    if (kinds[position] === says.nothing || Number.isNaN(logProbability)) return;
    // In float16 the logarithm of a probability of 1 may come out slightly above 0.
    const probability = Math.min(1, Math.max(leastProbability, Math.exp(logProbability)));
    addTo(row, label, probability);
    mass.exact += probability;
  };
