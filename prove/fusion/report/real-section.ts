import { byDefault, continued } from '../experiments.ts';
import type { RealFindings } from '../real/real-findings.ts';
import { changeOf, type Losses, lossesOf, meanOfDomains } from '../statistics/losses.ts';
import { differencesTable } from './ablation-section.ts';
import { comparison, gain, lossesByDomain, mainPicture } from './main-section.ts';
import { writtenDifference } from './markdown.ts';

/** What a real LLM among the teachers does for the same target. */
export function realSection({ names, results, compared }: RealFindings): string {
  const losses = lossesOf(results);
  const seeds = [...new Set(results.map(({ result }) => result.seed))];
  const whole = results.find(({ share, passes }) => share === 1 && passes === 1)?.result;
  const others = names.filter((name) => !['before', continued, byDefault].includes(name));
  return [
    '## A real LLM among the teachers',
    'SmolLM2-135M-Instruct, an LLM of 49,152 tokens which others have trained on the web, teaches the same target, with ' +
      'its tokenizer of 3,000 tokens. The text is from the World Factbook of 2015, which none of the example models was ' +
      'trained on; SmolLM2 may have read it. What is held out is about countries of which none is trained on. ' +
      `Context, batches and schedule are the demo's: ${whole?.steps ?? 0} steps and about ` +
      `${(whole?.tokens ?? 0).toLocaleString('en-GB')} tokens in each training, which the command checks; ` +
      `seeds ${seeds.join(', ')}. Held-out text was compared with ${compared}.`,
    `\`\`\`sh\nnpm run smollm2\nnpm run prove -- fusion --seeds ${seeds.length} --real\n\`\`\``,
    lossesByDomain(losses, names),
    '![Bits per byte gained by training with a real LLM](results/real.svg)',
    '### Default with SmolLM2 against continued training',
    comparison(losses, continued),
    gain(losses),
    '### Other settings with SmolLM2',
    'Differences of the mean loss over the domains in bits per byte, paired by seed: below 0 is better.',
    differencesTable(losses, others),
    ...afterPasses(losses, names),
  ].join('\n\n');
}

/** What several passes over the text change, each way of training against the other after as many. */
function afterPasses(losses: Losses, names: readonly string[]): string[] {
  const own = names.find((name) => name.startsWith(`${byDefault}, `));
  const other = names.find((name) => name.startsWith(`${continued}, `));
  if (own === undefined || other === undefined) return [];
  const change = writtenDifference(changeOf(losses, own, other, meanOfDomains), 2);
  return [`"${own}" changes the loss of "${other}" by ${change} %.`];
}

export const realPicture = ({ names, results }: RealFindings): string =>
  mainPicture(lossesOf(results), names);
