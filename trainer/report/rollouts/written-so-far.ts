import type { RolloutTotals } from '../../checkpoint/rollout-totals.ts';
import { newestShown, type ShownCompletion, type StepRollouts } from './step-rollouts.ts';

/** What a run's target wrote, over restarts; what it wrote last, since this process began. */
export interface WrittenSoFar {
  readonly totals: RolloutTotals;
  /** Of the last step that had some. */
  readonly last: TimedRollouts | undefined;
  /** Newest first. */
  readonly shown: readonly ShownCompletion[];
}

/** What was written for a step, and how long that took. */
export interface TimedRollouts {
  readonly rollouts: StepRollouts;
  /** Wall time, the wait for documents included. */
  readonly seconds: number;
}

/** With what a further step trained on. */
export const withStep = (
  { last, shown }: WrittenSoFar,
  step: {
    readonly rollouts: StepRollouts | undefined;
    readonly rolloutTotals: RolloutTotals;
    readonly seconds: number;
  },
): WrittenSoFar => {
  const { rollouts, rolloutTotals: totals, seconds } = step;
  if (rollouts === undefined) return { totals, last, shown };
  return { totals, last: { rollouts, seconds }, shown: newestShown(rollouts.shown, shown) };
};
