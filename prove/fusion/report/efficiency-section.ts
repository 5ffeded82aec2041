import { byDefault, continued } from '../experiments.ts';
import type { NamedResult } from '../measure/equal-effort.ts';
import { drawCurve } from '../pictures/curve.ts';
import { intervalOf } from '../statistics/interval.ts';
import { lossesOf, lossOf, meanOfDomains } from '../statistics/losses.ts';
import { type Reached, tokensToReach } from '../statistics/sample-efficiency.ts';
import { markdownTable, written } from './markdown.ts';

/** The default with fewer tokens, by rising number of them; the default itself comes last. */
const curveOf = (results: readonly NamedResult[], names: readonly string[]): string[] => {
  const share = (name: string) => results.find(({ experiment }) => experiment === name)?.share ?? 0;
  return [...names, byDefault].sort((a, b) => share(a) - share(b));
};

/** How many of its tokens the default needs to reach the loss of continued training on all of them. */
export function efficiencySection(results: readonly NamedResult[], names: readonly string[]): string {
  const losses = lossesOf(results);
  const curve = curveOf(results, names);
  const rows = [...curve, continued].map((name) => [
    name,
    tokensOf(results, name).toLocaleString('en-GB'),
    written(lossOf(losses, name, meanOfDomains), 4),
  ]);
  return [
    '## Sample efficiency',
    'The default trained on a part of the documents, each time with a schedule of its own that ends at 0, against ' +
      'continued training on all of them.',
    markdownTable(['', 'tokens (mean)', 'mean of the domains, bits per byte'], rows),
    '![Loss by tokens trained on](results/sample-efficiency.svg)',
    conclusion(sharesReached(results, curve)),
  ].join('\n\n');
}

interface SeedReached {
  readonly seed: number;
  /** In shares of the tokens of continued training. */
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
  return own.map(({ result: { tokens } }) => ({ tokens, loss }));
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
      ? `On average the default needs ${written(share, 1)} % of the tokens: ${(100 / share.mean).toFixed(2)} times fewer.`
      : 'A mean over the seeds would not be honest, as not all of them reach it between two points of the curve.';
  const table = markdownTable(['seed', 'share of the tokens with which the default reaches continued'], rows);
  return `${table}\n\nBetween two points the loss is taken to fall as the logarithm of the tokens grows. ${sum}`;
}

export function efficiencyPicture(results: readonly NamedResult[], names: readonly string[]): string {
  const losses = lossesOf(results);
  const point = (name: string) => ({
    tokens: tokensOf(results, name),
    loss: lossOf(losses, name, meanOfDomains),
  });
  return drawCurve({
    title: 'Mean held-out loss by tokens trained on (bits per byte, lower is better)',
    axis: 'tokens trained on',
    name: byDefault,
    points: curveOf(results, names).map(point),
    other: { name: `${continued}, all tokens`, ...point(continued) },
  });
}

/** Tokens trained on, as the mean over seeds. */
function tokensOf(results: readonly NamedResult[], name: string): number {
  const own = results.filter(({ experiment }) => experiment === name);
  return Math.round(own.reduce((sum, { result }) => sum + result.tokens, 0) / own.length);
}
