import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { GetStatusResponseSchema } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { divergenceText, whoWaits } from './status-text.ts';

const says = (waitSeconds: number, sources: object[]) =>
  whoWaits(create(GetStatusResponseSchema, { lastStep: { seconds: 2, waitSeconds }, sources }));

test('names teachers whose stream is full, and those that the trainer waits for', () => {
  expect(says(0.1, [{ teacher: 'orator' }])).toBe('nobody');
  expect(says(0, [{ teacher: 'orator', waitingForRoom: true }, { teacher: 'novelist' }])).toBe(
    'orator waits for the trainer',
  );
  const mixed = [
    { teacher: 'orator', waitingForRoom: true },
    { teacher: 'novelist', waitingForRoom: true },
    { teacher: 'engineer', documentsMissing: 3 },
  ];
  expect(says(1.5, mixed)).toBe(
    'orator, novelist wait for the trainer; the trainer waits for engineer (75 % of the last step)',
  );
  expect(says(1.5, [{ teacher: 'orator' }])).toBe('the trainer waits for documents (75 % of the last step)');
  const onPolicy = create(GetStatusResponseSchema, {
    lastStep: { seconds: 2, waitSeconds: 1.5 },
    rollouts: {},
  });
  expect(whoWaits(onPolicy)).toBe(
    'the trainer waits for the corpus or what the target writes (75 % of the last step)',
  );
});

test('names those that the run goes on without, and does not wait for them', () => {
  const sources = [{ teacher: 'orator' }, { teacher: 'engineer', documentsMissing: 3, leftOut: true }];
  expect(says(0, sources)).toBe('the run goes on without engineer');
  expect(says(1.5, sources)).toBe(
    'the trainer waits for documents (75 % of the last step); the run goes on without engineer',
  );
});

test('is silent about waiting before the first step', () => {
  expect(whoWaits(create(GetStatusResponseSchema, {}))).toBe('nobody');
});

test('says that the divergence is not known where nobody has judged', () => {
  expect(divergenceText({ divergence: Number.NaN })).toBe('KL to the judge not known');
  expect(divergenceText({ divergence: 0.41234 })).toBe('KL to the judge 0.4123');
});
