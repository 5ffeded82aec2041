import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import {
  GetStatusResponseSchema,
  SourceStatusSchema,
  TrainerState,
} from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { paceOf, standingOf } from './standing.ts';

type SourceInit = MessageInitShape<typeof SourceStatusSchema>;

const source = (init: SourceInit) => create(SourceStatusSchema, { attached: true, ...init });
const status = (sources: SourceInit[], state = TrainerState.TRAINING) =>
  create(GetStatusResponseSchema, { state, sources: sources.map(source) });

it('tells what a teacher does, the worst first', () => {
  const all: SourceInit = { attached: false, waitingForRoom: true, documentsMissing: 3, lagDocuments: 1200n };
  expect(standingOf(source(all))).toEqual({ kind: 'away', text: 'not attached' });
  expect(standingOf(source({ ...all, attached: true }))).toEqual({ kind: 'waits', text: 'waits for room' });
  expect(standingOf(source({ documentsMissing: 3, leftOut: true })).text).toBe('late: left out');
  expect(standingOf(source({ documentsMissing: 3, lagDocuments: 9n }))).toEqual({
    kind: 'late',
    text: '3 late',
  });
  expect(standingOf(source({ lagDocuments: 1200n })).text).toBe('1\u202f200 to score');
  expect(standingOf(source({ tokensPerSecond: 5 })).text).toBe('keeps up');
  expect(standingOf(source({})).text).toBe('nothing to score');
});

it('says who waits for whom', () => {
  const [orator, novelist] = [{ teacher: 'orator' }, { teacher: 'novelist' }];
  const pace = (sources: SourceInit[], waitShare?: number) => paceOf(status(sources), { waitShare }).text;
  expect(pace([orator, novelist])).toBe('Nobody waits for anybody.');
  expect(pace([orator, { ...novelist, attached: false }])).toBe('The run waits for novelist: not attached.');
  expect(pace([orator, { ...novelist, waitingForRoom: true }], 0.05)).toBe(
    'The trainer sets the pace: novelist waits for room.',
  );
  expect(pace([orator, { ...novelist, documentsMissing: 2 }], 0.34)).toBe(
    'The trainer waits for novelist, 34\u202f% of its time.',
  );
  const leftOut = { ...novelist, attached: false, documentsMissing: 2, leftOut: true };
  expect(pace([orator, leftOut], 0.05)).toBe('The run goes on without novelist.');
  expect(pace([{ ...orator, documentsMissing: 1 }, leftOut], 0.34)).toBe(
    'The trainer waits for orator, 34\u202f% of its time.',
  );
  const full = { name: 'documents', messages: 1024n, mostMessages: 1024n };
  const ahead = create(GetStatusResponseSchema, { state: TrainerState.TRAINING, streams: [full] });
  expect(paceOf(ahead, { waitShare: 0 }).text).toBe('The trainer sets the pace: the corpus waits for room.');
  expect(pace([orator], 0.5)).toBe('The trainer waits for documents, 50\u202f% of its time.');
  const onPolicy = create(GetStatusResponseSchema, { state: TrainerState.TRAINING, rollouts: {} });
  expect(paceOf(onPolicy, { waitShare: 0.5 }).text).toBe(
    'The trainer waits for the corpus or what the target writes, 50\u202f% of its time.',
  );
});

it('says how a run ended', () => {
  expect(paceOf(status([], TrainerState.FINISHED), { waitShare: 1 }).text).toBe('The run is finished.');
  expect(paceOf(status([], TrainerState.FAILED), { waitShare: 1 }).kind).toBe('away');
  expect(paceOf(status([], TrainerState.PAUSED), { waitShare: 1 }).text).toBe('The training is paused.');
  expect(paceOf(status([], TrainerState.STARTING), { waitShare: undefined }).kind).toBe('waits');
});
