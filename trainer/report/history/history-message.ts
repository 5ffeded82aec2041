import { create } from '@bufbuild/protobuf';
import {
  type GetHistoryResponse,
  GetHistoryResponseSchema,
  HeldOutSchema,
} from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { HeldOutLoss, HistoryData } from './run-history.ts';

/** A history as columns. */
export function historyMessage({ points, heldOut }: HistoryData): GetHistoryResponse {
  const sources = new Set(points.flatMap(({ tokensPerSecond }) => Object.keys(tokensPerSecond)));
  return create(GetHistoryResponseSchema, {
    step: points.map(({ step }) => BigInt(step)),
    time: points.map(({ time }) => time),
    steps: points.map(({ steps }) => steps),
    loss: points.map(({ loss }) => loss),
    causalLoss: points.map(({ causalLoss }) => causalLoss),
    fusionLoss: points.map(({ fusionLoss }) => fusionLoss),
    gradientNorm: points.map(({ gradientNorm }) => gradientNorm),
    learningRate: points.map(({ learningRate }) => learningRate),
    alignedShare: points.map(({ alignedShare }) => alignedShare),
    tokensPerSecond: points.map(({ tokens, seconds }) => tokens / seconds),
    waitShare: points.map(({ waitSeconds, seconds }) => waitSeconds / seconds),
    sources: [...sources].map((teacher) => ({
      teacher,
      tokensPerSecond: points.map(({ tokensPerSecond }) => tokensPerSecond[teacher] ?? 0),
      chosenShare: points.map(({ chosen }) => (chosen[teacher] ?? 0) / Math.max(1, total(chosen))),
      documentsWithout: points.map(({ without }) => without[teacher] ?? 0),
    })),
    heldOut: heldOut.map(heldOutMessage),
  });
}

export const heldOutMessage = ({ step, bitsPerByte }: HeldOutLoss) =>
  create(HeldOutSchema, { step: BigInt(step), bitsPerByte });

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
