import { z } from 'zod';
import type { StepBatch } from '../../fusion/batch/batches.ts';

const count = z.number().int().min(0);

/** What the target wrote itself and was trained on, since the run began. */
export const rolloutTotalsSchema = z.strictObject({
  documents: count,
  tokens: count,
  /** Those that ended by length. */
  endedByLength: count,
  /** Not trained on: written by weights that were too old, judged by nobody, or not to be used at all. */
  dropped: count,
});

export type RolloutTotals = Readonly<z.infer<typeof rolloutTotalsSchema>>;

export const noRollouts: RolloutTotals = { documents: 0, tokens: 0, endedByLength: 0, dropped: 0 };

/** With those of a batch that was trained on. */
export const withRollouts = (
  { documents, tokens, endedByLength, dropped }: RolloutTotals,
  { rollouts }: Pick<StepBatch, 'rollouts'>,
): RolloutTotals => ({
  documents: documents + rollouts.length,
  tokens: tokens + rollouts.reduce((sum, { rollout }) => sum + rollout.tokens, 0),
  endedByLength: endedByLength + rollouts.filter(({ unfinished }) => unfinished).length,
  dropped,
});
