import type { NamedResult } from '../measure/equal-effort.ts';
import type { Findings } from './findings.ts';
import { markdownTable } from './markdown.ts';

/** What every training of a study has in common, in a sentence. */
export function sizeOfTrainings(results: readonly NamedResult[]): string {
  const whole = results.find(({ share, passes }) => share === 1 && passes === 1)?.result;
  return (
    'All trainings of one seed begin with the same weights and take the same documents in the same order, in batches of ' +
    `the same size: ${whole?.steps ?? 0} steps and about ${(whole?.tokens ?? 0).toLocaleString('en-GB')} tokens in each ` +
    'pass, which the command checks.'
  );
}

/** Versions, machine, seeds and time. */
export function factsOfRun({ results, circumstances }: Findings): string {
  const once = [...new Map(results.map(({ result }) => [result.key, result])).values()];
  const seeds = [...new Set(once.map(({ seed }) => seed))];
  const hours = once.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  return markdownTable(
    ['', ''],
    [
      ...circumstances.facts,
      ['seeds', seeds.join(', ')],
      ['trainings', String(once.length)],
      ['learning rate', [...new Set(once.map(({ learningRate }) => learningRate))].join(', ')],
      ['wall time', `${(hours / 2).toFixed(1)} h, two trainings at a time`],
    ],
  );
}
