import { create } from '@bufbuild/protobuf';
import {
  type RolloutHistory,
  RolloutHistorySchema,
  type RolloutStatus,
  RolloutStatusSchema,
  type StepRollouts as StepRolloutsMessage,
  StepRolloutsSchema,
} from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { meansOf, nothingWritten, type RolloutSums } from './rollout-sums.ts';
import type { TimedRollouts, WrittenSoFar } from './written-so-far.ts';

export const stepRolloutsMessage = ({ rollouts, seconds }: TimedRollouts): StepRolloutsMessage => {
  const { staleness, divergence, repeatedShare } = meansOf(rollouts);
  return create(StepRolloutsSchema, {
    documents: rollouts.documents,
    tokens: BigInt(rollouts.tokens),
    endedByLength: rollouts.endedByLength,
    staleness,
    mostStaleness: BigInt(Math.max(0, rollouts.mostStaleness)),
    divergence,
    repeatedShare,
    tokensPerSecond: rollouts.tokens / seconds,
  });
};

export const rolloutStatusMessage = ({ totals, last, shown }: WrittenSoFar): RolloutStatus =>
  create(RolloutStatusSchema, {
    documents: BigInt(totals.documents),
    tokens: BigInt(totals.tokens),
    endedByLength: BigInt(totals.endedByLength),
    dropped: BigInt(totals.dropped),
    ...(last && { last: stepRolloutsMessage(last) }),
    latest: shown.map(({ document, weightsStep, ...completion }) => ({
      ...completion,
      document: BigInt(document),
      weightsStep: BigInt(weightsStep),
    })),
  });

/** Undefined where none of the points has any. */
export function rolloutHistoryMessage(
  points: readonly { readonly seconds: number; readonly rollouts?: RolloutSums | undefined }[],
): RolloutHistory | undefined {
  if (points.every(({ rollouts }) => rollouts === undefined)) return undefined;
  const sums = points.map(({ rollouts = nothingWritten }) => rollouts);
  const means = sums.map(meansOf);
  return create(RolloutHistorySchema, {
    documents: sums.map(({ documents }) => documents),
    length: means.map(({ length }) => length),
    endedByLengthShare: means.map(({ endedByLengthShare }) => endedByLengthShare),
    staleness: means.map(({ staleness }) => staleness),
    divergence: means.map(({ divergence }) => divergence),
    repeatedShare: means.map(({ repeatedShare }) => repeatedShare),
    tokensPerSecond: sums.map(({ tokens }, i) => tokens / points[i].seconds),
  });
}
