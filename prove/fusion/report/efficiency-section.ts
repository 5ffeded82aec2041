import { byDefault, continued } from '../experiments.ts';
import type { NamedResult } from '../measure/equal-effort.ts';
import { drawCurve } from '../pictures/curve.ts';
import { intervalOf } from '../statistics/interval.ts';
import { lossesOf, lossOf, meanOfDomains } from '../statistics/losses.ts';
import { type Reached, tokensToReach } from '../statistics/sample-efficiency.ts';
import { markdownTable, written } from './markdown.ts';

/** The default with less text, by rising share of it; the default itself comes last. */
const curveOf = (results: readonly NamedResult[], names: readonly string[]): string[] =>
  [...names.filter((name) => name.startsWith(byDefault)), byDefault].sort(
    (a, b) => shareOf(results, a) - shareOf(results, b),
  );

/** How much text the default needs to reach the loss of continued training on all of it. */
export function efficiencySection(results: readonly NamedResult[], names: readonly string[]): string {
  const losses = lossesOf(results);
  const curve = curveOf(results, names);
  const others = names.filter((name) => !curve.includes(name));
  const rows = [...curve, ...others, continued].map((name) => [
    name,
    String(passesOf(results, name)),
    tokensOf(results, name).toLocaleString('en-GB'),
    written(lossOf(losses, name, meanOfDomains), 4),
  ]);
  return [
    '## Sample efficiency',
    'The default taught on a part of the documents, over which it passes so often that it takes as many steps as ' +
      'continued training on all of them: the teachers are asked about that part alone.',
    markdownTable(['', 'passes', 'tokens of the text (mean)', 'mean of the domains, bits per byte'], rows),
    '![Loss by text trained on](results/sample-efficiency.svg)',
    conclusion(sharesReached(results, curve)),
  ].join('\n\n');
}

interface SeedReached {
  readonly seed: number;
  /** In shares of the text of continued training, in tokens. */
  readonly reached: Reached | undefined;
}

function sharesReached(results: readonly NamedResult[], curve: readonly string[]): SeedReached[] {
  const own = results.filter(({ experiment }) => experiment === continued);
  return own.map(({ result }) => {
    const points = curve.flatMap((name) => pointOf(results, name, result.seed));
    const [{ loss }] = pointOf(results, continued, result.seed);
    const reached = tokensToReach(points, loss);
    return { seed: result.seed, reached: reached && { ...reached, tokens: reached.tokens / result.tokens } };
  });
}

function pointOf(results: readonly NamedResult[], name: string, seed: number) {
  const own = results.filter(({ experiment, result }) => experiment === name && result.seed === seed);
  const loss = lossOf(lossesOf(own), name, meanOfDomains).mean;
  return own.map(({ passes, result }) => ({ tokens: result.tokens / passes, loss }));
}

function conclusion(seeds: readonly SeedReached[]): string {
  const rows = seeds.map(({ seed, reached }) => [
    String(seed),
    reached === undefined
      ? 'not reached'
      : `${reached.atMost ? '≤ ' : ''}${(100 * reached.tokens).toFixed(1)} %`,
  ]);
  const exact = seeds.flatMap(({ reached }) => (reached && !reached.atMost ? [reached.tokens] : []));
  const share = intervalOf(exact.map((tokens) => 100 * tokens));
  const sum =
    exact.length === seeds.length
      ? `On average the default needs ${written(share, 1)} % of the text: ${(100 / share.mean).toFixed(2)} times less.`
      : seeds.length > 0 && seeds.every(({ reached }) => reached?.atMost)
        ? `With every seed the smallest part of the text is enough: the default needs ${(1 / Math.max(...seeds.flatMap(({ reached }) => reached?.tokens ?? []))).toFixed(2)} times less, at least.`
        : 'A mean over the seeds would not be honest, as not all of them reach it between two points of the curve.';
  const table = markdownTable(['seed', 'share of the text with which the default reaches continued'], rows);
  return `${table}\n\nBetween two points the loss is taken to fall as the logarithm of the text grows. ${sum}`;
}

export function efficiencyPicture(results: readonly NamedResult[], names: readonly string[]): string {
  const losses = lossesOf(results);
  const point = (name: string) => ({
    tokens: tokensOf(results, name),
    loss: lossOf(losses, name, meanOfDomains),
  });
  return drawCurve({
    title: 'Mean held-out loss by text, with as many steps (bits per byte, lower is better)',
    axis: 'tokens of the text',
    name: byDefault,
    points: curveOf(results, names).map(point),
    other: { name: `${continued}, all text`, ...point(continued) },
  });
}

/** Tokens of the text that is trained on, as the mean over seeds. */
function tokensOf(results: readonly NamedResult[], name: string): number {
  const own = results.filter(({ experiment }) => experiment === name);
  return Math.round(own.reduce((sum, { passes, result }) => sum + result.tokens / passes, 0) / own.length);
}

const shareOf = (results: readonly NamedResult[], name: string): number =>
  results.find(({ experiment }) => experiment === name)?.share ?? 0;

const passesOf = (results: readonly NamedResult[], name: string): number =>
  results.find(({ experiment }) => experiment === name)?.passes ?? 0;
