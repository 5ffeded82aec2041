import { excludesZero, type Interval } from '../statistics/interval.ts';

/** A table whose first column holds names and the others numbers. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = headings.map((_, column) => (column === 0 ? '---' : '---:'));
  return [headings, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A figure with its interval, where it has one: 2.345 ± 0.012. */
export const written = ({ mean, halfWidth }: Interval, digits: number): string =>
  halfWidth === undefined
    ? withMinus(mean.toFixed(digits))
    : `${withMinus(mean.toFixed(digits))} ± ${halfWidth.toFixed(digits)}`;

/** A difference with its sign. */
export const writtenDifference = (difference: Interval, digits: number): string =>
  (difference.mean > 0 ? '+' : '') + written(difference, digits);

/** Whether a difference is larger than the noise, in words. */
export const writtenVerdict = (difference: Interval): string => yesOrNo(excludesZero(difference));

/** Undefined where there is only one seed. */
export const yesOrNo = (is: boolean | undefined): string =>
  is === undefined ? 'one seed cannot tell' : is ? 'yes' : 'no';

const withMinus = (number: string): string => number.replace('-', '−');
