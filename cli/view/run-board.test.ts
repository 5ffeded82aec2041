import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  GetHistoryResponseSchema,
  GetStatusResponseSchema,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { RunBoard } from './run-board.ts';

test('keeps the last of each, and knows a trainer that answers again', () => {
  let now = 1000;
  const board = new RunBoard('demo', { isOurs: true, now: () => now });
  board.silent('No answer');
  now = 3500;
  expect(board.seen()).toEqual({
    run: 'demo',
    now,
    seconds: 2.5,
    curve: [],
    silent: 'No answer',
    status: undefined,
  });
  const status = create(GetStatusResponseSchema, { run: 'demo' });
  board.status(status);
  board.history(create(GetHistoryResponseSchema, { loss: [3, 2] }));
  board.fed({ published: 1, total: 2 });
  expect(board.seen()).toEqual({
    run: 'demo',
    now,
    seconds: 2.5,
    curve: [3, 2],
    silent: undefined,
    status,
    fed: { published: 1, total: 2 },
  });
});

test('counts no time of its own for a run that others began', () => {
  expect(new RunBoard('demo', { isOurs: false }).seen()).not.toHaveProperty('seconds');
});
