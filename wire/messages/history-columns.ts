import { figureNames } from './figure-values.ts';
import type { HistoryColumn, StepFigureName } from './step-figures.ts';

/** A quotient of sums over the steps of a point. */
interface Rate {
  /** Of its curve. */
  readonly name: string;
  readonly unit?: string;
  readonly of: 'tokens' | 'waitSeconds';
  readonly per: 'seconds';
}

/** The columns of a history that are rates. */
export type RateName = Exclude<HistoryColumn, StepFigureName | 'time' | 'steps'>;

export const historyRates = {
  tokensPerSecond: { name: 'Tokens per second', of: 'tokens', per: 'seconds' },
  waitShare: { name: 'Waiting for documents', unit: 'share', of: 'waitSeconds', per: 'seconds' },
} as const satisfies Readonly<Record<RateName, Rate>>;

export const rateNames = Object.keys(historyRates) as RateName[];

/** All columns of numbers that a history has. */
export const historyColumns: readonly HistoryColumn[] = ['time', 'steps', ...figureNames, ...rateNames];
