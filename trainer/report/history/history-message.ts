import { create } from '@bufbuild/protobuf';
import {
  type GetHistoryResponse,
  GetHistoryResponseSchema,
  HeldOutSchema,
} from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { byName } from '../../../wire/messages/by-name.ts';
import { figureNames } from '../../../wire/messages/figure-values.ts';
import { historyRates, rateNames } from '../../../wire/messages/history-columns.ts';
import type { HistoryColumn } from '../../../wire/messages/step-figures.ts';
import { rolloutHistoryMessage } from '../rollouts/rollout-messages.ts';
import type { HistoryPoint } from './history-point.ts';
import type { HeldOutLoss, HistoryData } from './run-history.ts';

/** A history as a message: one list a column. */
export function historyMessage({ points, heldOut }: HistoryData): GetHistoryResponse {
  const rollouts = rolloutHistoryMessage(points);
  const sources = new Set(points.flatMap(({ tokensPerSecond }) => Object.keys(tokensPerSecond)));
  return create(GetHistoryResponseSchema, {
    step: points.map(({ step }) => BigInt(step)),
    ...columnsOf(points),
    sources: [...sources].map((teacher) => ({
      teacher,
      tokensPerSecond: points.map(({ tokensPerSecond }) => tokensPerSecond[teacher] ?? 0),
      chosenShare: points.map(({ chosen }) => (chosen[teacher] ?? 0) / Math.max(1, total(chosen))),
      documentsWithout: points.map(({ without }) => without[teacher] ?? 0),
    })),
    heldOut: heldOut.map(heldOutMessage),
    ...(rollouts && { rollouts }),
  });
}

/** The history's columns of numbers. */
export const columnsOf = (points: readonly HistoryPoint[]): Record<HistoryColumn, number[]> => ({
  ...byName(['time', 'steps', ...figureNames], (name) => points.map((point) => point[name])),
  ...byName(rateNames, (name) => {
    const { of, per } = historyRates[name];
    return points.map((point) => point[of] / point[per]);
  }),
});

export const heldOutMessage = ({ step, bitsPerByte }: HeldOutLoss) =>
  create(HeldOutSchema, { step: BigInt(step), bitsPerByte });

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
