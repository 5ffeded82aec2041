import { z } from 'zod';
import type { JudgedRollout } from '../../../fusion/batch/judged-rollout.ts';

/** What several documents that the target wrote have together. Two of these make one by adding them up. */
export const rolloutSumsSchema = z.object({
  documents: z.number(),
  tokens: z.number(),
  /** Those that ended by length. */
  endedByLength: z.number(),
  /** Steps between the weights that wrote each and those that were trained on it. */
  staleness: z.number(),
  /** log target − log judge of all that was written, in nats; NaN where nobody judged some of it. */
  logRatio: z
    .number()
    .nullable()
    .transform((value) => value ?? Number.NaN),
  /** Runs of four tokens, and those of them that stood in the same completion before. */
  fourGrams: z.number(),
  repeatedFourGrams: z.number(),
});

export type RolloutSums = Readonly<z.infer<typeof rolloutSumsSchema>>;

const names = Object.keys(rolloutSumsSchema.shape) as (keyof RolloutSums)[];

export const nothingWritten: RolloutSums = {
  documents: 0,
  tokens: 0,
  endedByLength: 0,
  staleness: 0,
  logRatio: 0,
  fourGrams: 0,
  repeatedFourGrams: 0,
};

export function addedSums(first: RolloutSums, second: RolloutSums): RolloutSums {
  const sum = { ...first };
  for (const name of names) sum[name] += second[name];
  return sum;
}

/** Steps between the weights that wrote a document and those that a step trains on it, those of the step before. */
export const stalenessOf = ({ rollout }: Pick<JudgedRollout, 'rollout'>, step: number): number =>
  step - 1 - Number(rollout.weightsStep);

/** @param step that trains on them */
export const sumsOf = (rollouts: readonly JudgedRollout[], step: number): RolloutSums =>
  rollouts
    .map(
      (written): RolloutSums => ({
        documents: 1,
        tokens: written.rollout.tokens,
        endedByLength: Number(written.unfinished),
        staleness: stalenessOf(written, step),
        logRatio: written.rollout.logProbability + (written.judge?.crossEntropy ?? Number.NaN),
        fourGrams: written.fourGrams,
        repeatedFourGrams: written.repeatedFourGrams,
      }),
    )
    .reduce(addedSums, nothingWritten);

/** The means that sums make; NaN of no document, but for repeats: nothing repeats where there are no four tokens. */
export const meansOf = (sums: RolloutSums) => ({
  length: sums.tokens / sums.documents,
  endedByLengthShare: sums.endedByLength / sums.documents,
  staleness: sums.staleness / sums.documents,
  divergence: sums.logRatio / sums.tokens,
  repeatedShare: sums.documents === 0 ? Number.NaN : sums.repeatedFourGrams / Math.max(1, sums.fourGrams),
});
