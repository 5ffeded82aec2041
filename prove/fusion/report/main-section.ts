import { byDefault, continued } from '../experiments.ts';
import { drawBars } from '../pictures/bars.ts';
import { isBelow } from '../statistics/interval.ts';
import {
  changeOf,
  columnsOf,
  differenceOf,
  type Losses,
  lossOf,
  meanOfDomains,
} from '../statistics/losses.ts';
import { markdownTable, written, writtenDifference, writtenVerdict, yesOrNo } from './markdown.ts';

const before = 'before';
const asPublished = 'preset fusellm';

/** Held-out losses of the main experiments, and how they compare with continued training. */
export function mainSection(losses: Losses, names: readonly string[]): string {
  return [
    '## Held-out loss',
    "Bits per byte of held-out text: mean over the seeds, with the 95 % interval by Student's t. The last column is " +
      'the change of the mean loss against continued training with the same seed.',
    lossesByDomain(losses, names),
    '![Bits per byte gained by training, by domain](results/main.svg)',
    '### Default against continued training',
    comparison(losses, continued),
    gain(losses),
    '### Default against FuseLLM as published',
    comparison(losses, asPublished),
    '### Default against fewer teachers, and against the best teacher of each text',
    'Differences of the default in bits per byte, paired by seed, with their 95 % intervals: below 0 the default is better.',
    byDomain(losses, names.slice(names.indexOf(byDefault) + 1)),
  ].join('\n\n');
}

/** A row for each experiment. */
export function lossesByDomain(losses: Losses, names: readonly string[]): string {
  const columns = columnsOf(losses);
  const rows = names.map((name) => [
    name,
    ...columns.map((column) => written(lossOf(losses, name, column), 4)),
    name === continued ? '' : `${writtenDifference(changeOf(losses, name, continued, meanOfDomains), 2)} %`,
  ]);
  return markdownTable(['', ...columns, 'against continued'], rows);
}

/** By domain: how much the default's loss differs from another's. */
export function comparison(losses: Losses, from: string): string {
  const rows = columnsOf(losses).map((column) => {
    const difference = differenceOf(losses, byDefault, from, column);
    const apart = isBelow(lossOf(losses, byDefault, column), lossOf(losses, from, column));
    return [
      column,
      writtenDifference(difference, 4),
      `${writtenDifference(changeOf(losses, byDefault, from, column), 2)} %`,
      writtenVerdict(difference),
      yesOrNo(apart),
    ];
  });
  const headings = [
    '',
    'difference, bits per byte',
    'change',
    'larger than the noise',
    "default's own interval below the other's",
  ];
  return markdownTable(headings, rows);
}

/** A row for each experiment: how the default differs from it in each domain. */
const byDomain = (losses: Losses, names: readonly string[]): string =>
  markdownTable(
    ['default against', ...columnsOf(losses)],
    names.map((name) => [
      name,
      ...columnsOf(losses).map((column) =>
        writtenDifference(differenceOf(losses, byDefault, name, column), 4),
      ),
    ]),
  );

/** How much more the default learns than continued training, as a share of what the latter learns. */
export function gain(losses: Losses): string {
  const change = changeOf(losses, byDefault, continued, meanOfDomains);
  const learnt = differenceOf(losses, continued, before, meanOfDomains);
  const more = differenceOf(losses, byDefault, before, meanOfDomains);
  return (
    `Over all domains the default changes the loss of continued training by ${writtenDifference(change, 2)} %. ` +
    `Training changes the target's mean loss by ${writtenDifference(learnt, 4)} bits per byte when it is continued, ` +
    `by ${writtenDifference(more, 4)} when it is fused by default.`
  );
}

/** Bits per byte that each training has gained over the untrained target: above 0 is better. */
export function mainPicture(losses: Losses, names: readonly string[]): string {
  const columns = columnsOf(losses);
  const trained = names.filter((name) => name !== before);
  return drawBars({
    title: 'Bits per byte gained by training (higher is better)',
    groups: columns,
    series: trained.map((name) => ({
      name,
      values: columns.map((column) => differenceOf(losses, before, name, column)),
    })),
  });
}
