import type { NamedResult } from '../measure/equal-effort.ts';
import { type Interval, intervalOf } from './interval.ts';

/** Name of the column beside those of the domains. */
export const meanOfDomains = 'mean';

/** Held-out bits per byte by experiment, seed and column. */
export type Losses = ReadonlyMap<string, ReadonlyMap<number, Readonly<Record<string, number>>>>;

export function lossesOf(results: readonly NamedResult[]): Losses {
  const losses = new Map<string, Map<number, Record<string, number>>>();
  for (const { experiment, result } of results) {
    const { bitsPerByte, seed } = result;
    const domains = Object.values(bitsPerByte);
    const mean = domains.reduce((sum, bits) => sum + bits, 0) / domains.length;
    const seeds = losses.get(experiment) ?? new Map<number, Record<string, number>>();
    losses.set(experiment, seeds.set(seed, { ...bitsPerByte, [meanOfDomains]: mean }));
  }
  return losses;
}

/** The domains, then their mean. */
export const columnsOf = (losses: Losses): string[] =>
  Object.keys(losses.values().next().value?.values().next().value ?? {});

/** Loss of one experiment over its seeds, in bits per byte. */
export const lossOf = (losses: Losses, experiment: string, column: string): Interval =>
  intervalOf([...seedsOf(losses, experiment).values()].map((columns) => columns[column]));

/** An experiment's loss minus another's with the same seed, in bits per byte; below 0 where it does better. */
export const differenceOf = (losses: Losses, experiment: string, from: string, column: string): Interval =>
  intervalOf(pairs(losses, experiment, from, column).map(([own, other]) => own - other));

/** The same in per cent of the other's loss. */
export const changeOf = (losses: Losses, experiment: string, from: string, column: string): Interval =>
  intervalOf(pairs(losses, experiment, from, column).map(([own, other]) => 100 * (own / other - 1)));

/** Whether two experiments have the same losses to the bit with every seed, and so are the same training. */
export const isSame = (losses: Losses, experiment: string, other: string): boolean =>
  columnsOf(losses).every((column) => pairs(losses, experiment, other, column).every(([a, b]) => a === b));

function pairs(losses: Losses, experiment: string, from: string, column: string): [number, number][] {
  const others = seedsOf(losses, from);
  return [...seedsOf(losses, experiment)].flatMap(([seed, columns]): [number, number][] => {
    const other = others.get(seed);
    return other === undefined ? [] : [[columns[column], other[column]]];
  });
}

const seedsOf = (losses: Losses, experiment: string) =>
  losses.get(experiment) ?? new Map<number, Readonly<Record<string, number>>>();
