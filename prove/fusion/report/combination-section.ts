import type { Combination } from '../combination/combinations.ts';
import { markdownTable } from './markdown.ts';

/** How well teachers predict the corpus, each alone and combined. */
export function combinationSection(combinations: readonly Combination[]): string {
  const domains = Object.keys(combinations[0]?.bitsPerByte ?? {});
  const rows = combinations.map(({ name, bitsPerByte }) => {
    const own = domains.map((domain) => bitsPerByte[domain]);
    const mean = own.reduce((sum, bits) => sum + bits, 0) / own.length;
    return [name, ...[...own, mean].map((bits) => bits.toFixed(4))];
  });
  return [
    '## Who predicts the corpus best',
    'Bits per byte of the documents that are trained on, before any training: of each teacher, and of what they say ' +
      'together. A mixture gives each stretch between two places where all tokenizers meet the sum of the probabilities ' +
      'that the teachers give it, weighed as before it.',
    markdownTable(['', ...domains, 'mean'], rows),
  ].join('\n\n');
}
