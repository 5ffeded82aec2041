import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { GetStatusResponseSchema, TrainerState } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { headlineOf } from './headline.ts';

const status = {
  run: 'demo',
  state: TrainerState.TRAINING,
  stepsTotal: 1000n,
  lastStep: { step: 999n, documents: 7992n, tokens: 1_234_567n },
  documentsTotal: 8000n,
  secondsLeft: 192,
};

it('tells how far a run is', () => {
  const { title, progress, facts } = headlineOf(create(GetStatusResponseSchema, status));
  expect(title).toBe('99\u202f% · demo');
  expect(progress).toBe(0.999);
  expect(facts).toEqual([
    ['step', '999 of 1\u202f000'],
    ['time left', '3\u202fmin 12\u202fs'],
    ['tokens trained', '1\u202f234\u202f567'],
    ['documents', '7\u202f992 of 8\u202f000'],
  ]);
});

it('tells what is not known yet, and what was skipped', () => {
  const starting = headlineOf(create(GetStatusResponseSchema, { run: 'demo', state: TrainerState.STARTING }));
  expect(starting).toMatchObject({ state: 'starting', progress: 0, title: '0\u202f% · demo' });
  expect(starting.facts).toEqual([
    ['step', '0'],
    ['tokens trained', '0'],
    ['documents', '0'],
  ]);
  const { secondsLeft: _, ...unknown } = { ...status, skippedSteps: 2n };
  expect(headlineOf(create(GetStatusResponseSchema, unknown)).facts).toEqual(
    expect.arrayContaining([
      ['time left', 'not known yet'],
      ['steps skipped', '2'],
    ]),
  );
});

it('is at 100 % when every step is done', () => {
  const done = { ...status, state: TrainerState.FINISHED, lastStep: { ...status.lastStep, step: 1000n } };
  expect(headlineOf(create(GetStatusResponseSchema, done))).toMatchObject({
    title: '100\u202f% · demo',
    state: 'finished',
  });
});
