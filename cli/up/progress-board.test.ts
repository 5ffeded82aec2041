import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { TeacherRunStatusSchema } from '../../mesh/generated/fusemesh/v1/teacher_pb.ts';
import { GetStatusResponseSchema } from '../../mesh/generated/fusemesh/v1/trainer_pb.ts';
import { ProgressBoard } from './progress-board.ts';

const atStep = (step: number) =>
  create(GetStatusResponseSchema, {
    stepsTotal: 20n,
    lastStep: { step: BigInt(step), documents: BigInt(8 * step), loss: 2 },
    sources: [{ queueDepth: 1 }, { queueDepth: 3 }],
  });

test('estimates the time left from the steps that it has seen', () => {
  let now = 1000;
  const board = new ProgressBoard(['orator'], () => now);
  expect(board.progress().trainer).toBeUndefined();
  now = 1010;
  board.trainer(atStep(5));
  expect(board.progress().trainer?.secondsLeft).toBeUndefined();
  now = 1020;
  board.trainer(atStep(10));
  expect(board.progress()).toMatchObject({
    seconds: 20,
    trainer: { step: 10, stepsTotal: 20, documents: 80, documentsWaiting: 3, secondsLeft: 20 },
  });
});

test('keeps the teachers in the order of the run', () => {
  const board = new ProgressBoard(['orator', 'novelist']);
  board.teacher('novelist', create(TeacherRunStatusSchema, { documentsScored: 7n, tokensPerSecond: 90 }));
  expect(board.progress().teachers).toEqual([
    { name: 'orator', tokensPerSecond: 0, documentsScored: 0, waitingForRoom: false },
    { name: 'novelist', tokensPerSecond: 90, documentsScored: 7, waitingForRoom: false },
  ]);
});
