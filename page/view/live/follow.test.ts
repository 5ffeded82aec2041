import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { GetStatusResponseSchema } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { begunAnew } from './follow.ts';

const status = (started: number, step: number, run = 'demo') =>
  create(GetStatusResponseSchema, {
    run,
    started: { seconds: BigInt(started), nanos: 0 },
    lastStep: { step: BigInt(step) },
  });

it('notices another process, another run, and steps that went back', () => {
  expect(begunAnew(undefined, status(1, 5), 0)).toBe(false);
  expect(begunAnew(status(1, 5), status(1, 6), 5)).toBe(false);
  expect(begunAnew(status(1, 5), status(2, 6), 5)).toBe(true);
  expect(begunAnew(status(1, 5), status(1, 6, 'other'), 5)).toBe(true);
  expect(begunAnew(status(1, 5), status(1, 4), 5)).toBe(true);
});
