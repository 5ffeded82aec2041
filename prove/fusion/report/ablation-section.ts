import { byDefault, continued } from '../experiments.ts';
import { drawDifferences } from '../pictures/differences.ts';
import { differenceOf, isSame, type Losses, meanOfDomains } from '../statistics/losses.ts';
import { markdownTable, writtenDifference, writtenVerdict } from './markdown.ts';

/** Experiments that change one thing, under a heading. */
export interface Ablation {
  readonly heading: string;
  readonly names: readonly string[];
}

/** How each change affects the loss, against the default and against continued training with the same seeds. */
export function ablationSection(losses: Losses, ablations: readonly Ablation[]): string {
  const tables = ablations.flatMap(({ heading, names }) => [
    `### ${heading}`,
    differencesTable(losses, names),
  ]);
  return [
    '## What each setting does',
    'Each line changes one thing of the default. Differences of the mean loss over the domains in bits per byte, ' +
      'paired by seed, with their 95 % intervals: below 0 is better. A difference is larger than the noise where ' +
      'its interval excludes 0. What is no part of the table of losses was measured with the first three seeds.',
    '![Differences from the default](results/ablations.svg)',
    ...tables,
  ].join('\n\n');
}

/** A row for each experiment: how it differs from the default and from continued training. */
export function differencesTable(losses: Losses, names: readonly string[]): string {
  return markdownTable(
    ['', 'against the default', 'larger than the noise', 'against continued', 'larger than the noise'],
    names.map((name) => row(losses, name)),
  );
}

function row(losses: Losses, name: string): string[] {
  const fromContinued = differenceOf(losses, name, continued, meanOfDomains);
  const against = [writtenDifference(fromContinued, 4), writtenVerdict(fromContinued)];
  if (isSame(losses, name, byDefault)) return [name, 'same as the default', '', ...against];
  const fromDefault = differenceOf(losses, name, byDefault, meanOfDomains);
  return [name, writtenDifference(fromDefault, 4), writtenVerdict(fromDefault), ...against];
}

export function ablationPicture(losses: Losses, ablations: readonly Ablation[]): string {
  const names = ablations.flatMap((ablation) => ablation.names);
  return drawDifferences({
    title: 'Difference from the default, mean of the domains',
    axis: '← better than the default · bits per byte · worse →',
    rows: names
      .filter((name) => !isSame(losses, name, byDefault))
      .map((name) => ({ name, difference: differenceOf(losses, name, byDefault, meanOfDomains) })),
  });
}
