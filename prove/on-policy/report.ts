import { alignColumns } from '../../cli/view/table.ts';
import { markdownTable, written, writtenDifference, yesOrNo } from '../fusion/report/markdown.ts';
import { excludesZero, type Interval, intervalOf, isBelow } from '../fusion/statistics/interval.ts';

/** What came of one arm with one seed. */
export interface ArmResult {
  readonly arm: string;
  readonly seed: number;
  readonly steps: number;
  /** Trained on, in the second stage. */
  readonly tokens: number;
  /** Wall time of the run. */
  readonly seconds: number;
  /** KL(target ‖ teacher) on the target's own text, in nats a token. */
  readonly divergence: number;
  /** How many tokens that is of. */
  readonly ownTokens: number;
  /** Held-out loss, by domain. */
  readonly bitsPerByte: Readonly<Record<string, number>>;
}

const headings = [
  'seeds',
  'KL on own text, nats a token',
  'against off-policy',
  'intervals apart',
  'held-out bits per byte, mean',
  'against off-policy',
  'tokens',
  'seconds',
];

/** One row an arm, the first being the one that all are compared with. */
function rowsOf(results: readonly ArmResult[]): string[][] {
  const names = [...new Set(results.map(({ arm }) => arm))];
  const of = (name: string) => results.filter(({ arm }) => arm === name).sort((a, b) => a.seed - b.seed);
  const first = of(names[0]);
  const divergences = (some: readonly ArmResult[]) => intervalOf(some.map(({ divergence }) => divergence));
  return names.map((name) => {
    const own = of(name);
    const change = (value: (result: ArmResult) => number): Interval =>
      intervalOf(
        own.flatMap((result) => {
          const before = first.find(({ seed }) => seed === result.seed);
          return before === undefined ? [] : [value(result) / value(before) - 1].map((share) => 100 * share);
        }),
      );
    const paired = change(({ divergence }) => divergence);
    const loss = change(meanLoss);
    const isFirst = name === names[0];
    const mean = (value: (result: ArmResult) => number) =>
      own.reduce((sum, result) => sum + value(result), 0) / own.length;
    return [
      name,
      String(own.length),
      written(divergences(own), 4),
      isFirst ? '' : `${writtenDifference(paired, 2)} %${excludesZero(paired) === false ? ' (noise)' : ''}`,
      isFirst ? '' : yesOrNo(isBelow(divergences(own), divergences(first))),
      written(intervalOf(own.map(meanLoss)), 4),
      isFirst ? '' : `${writtenDifference(loss, 2)} %`,
      Math.round(mean(({ tokens }) => tokens)).toLocaleString('en-GB'),
      mean(({ seconds }) => seconds).toFixed(0),
    ];
  });
}

const meanLoss = ({ bitsPerByte }: ArmResult): number => {
  const losses = Object.values(bitsPerByte);
  return losses.reduce((sum, bits) => sum + bits, 0) / losses.length;
};

/** For the terminal. */
export const onPolicyTable = (results: readonly ArmResult[]): string =>
  alignColumns([['', ...headings], ...rowsOf(results)])
    .map((row) => row.join('  '))
    .join('\n');

/** docs/results/own-text.md. */
export function onPolicyPage(results: readonly ArmResult[]): string {
  const seeds = [...new Set(results.map(({ seed }) => seed))];
  const [{ ownTokens }] = results;
  return [
    '# Own text against given text',
    '<!-- Written by `npm run prove -- on-policy --write`. -->',
    'One teacher, the orator, teaches the target the speeches (74 steps at 3e-3, λ 0.3 throughout); then all arms go on from there at ' +
      '1e-3 with as many tokens, each a real run of the whole mesh: from the same speeches in another order, or in part from ' +
      'what the target itself writes behind the beginnings of their paragraphs (temperature 1, 128 tokens at most, staleness 1). ' +
      `Then each writes behind beginnings of held-out speeches, ${ownTokens.toLocaleString('en-GB')} tokens or so, and the ` +
      `mean of log target − log teacher over them estimates KL(target ‖ teacher). Seeds ${seeds.join(', ')}; intervals by ` +
      "Student's t, differences paired by seed.",
    `\`\`\`sh\nnpm run prove -- on-policy --seeds ${seeds.length} --write\n\`\`\``,
    `${markdownTable(['', ...headings], rowsOf(results))}\n`,
  ].join('\n\n');
}
