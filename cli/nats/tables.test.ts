import { expect, it } from 'vitest';
import type { FoundTeacher } from '../../wire/discovery/teacher-listing.ts';
import { foundTeachersTable } from './found-teachers.ts';
import { heldRunsTable } from './held-runs.ts';

const work = {
  run: 'demo',
  teacher: 'orator',
  documentsScored: 90,
  documentsInHand: 12,
  tokensPerSecond: 1849.6,
  waitingForRoom: true,
};
const orator: FoundTeacher = {
  version: '0.1.0',
  teacher: 'orator',
  run: 'demo',
  instance: '1',
  family: 'llama',
  parameters: 1_110_144,
  vocabularySize: 2000,
  contextLength: 256,
  tokenizerFingerprint: 'ab',
  modelFingerprint: 'cd',
  address: '127.0.0.1:50051',
  metricsAddress: '127.0.0.1:9001',
  work: [work, { ...work, run: 'second', teacher: 'sage', documentsInHand: 1, waitingForRoom: false }],
};

it('shows teachers, a process a line', () => {
  expect(foundTeachersTable([orator, { ...orator, address: '127.0.0.1:50052', work: [] }])).toEqual([
    'TEACHER  MODEL  PARAMETERS  VOCABULARY  TOKENS/S  IN HAND  ADDRESS          RUNS',
    'orator   llama   1,110,144       2,000     3,699       13  127.0.0.1:50051  demo (waits for the trainer), second as sage',
    'orator   llama   1,110,144       2,000         0        0  127.0.0.1:50052  –',
  ]);
});

it('shows runs with what they hold and who trains', () => {
  const now = new Date('2026-01-12T10:00:00Z');
  const run = {
    run: 'demo',
    documentsPublished: 1280,
    documentsTotal: 2400,
    documentsHeld: 250,
    distributionsHeld: { novelist: 9, orator: 1024 },
    deadLetters: 2,
    bytes: 9_140_000,
    created: new Date('2026-01-12T08:58:55Z'),
    lastActivity: new Date('2026-01-12T09:59:58Z'),
  };
  const trainer = {
    version: '0.1.0',
    run: 'demo',
    address: 'a:1',
    metricsAddress: 'a:2',
    state: 'training',
    step: 320,
    stepsTotal: 600,
    tokensPerSecond: 900,
  };
  const lines = heldRunsTable(
    [
      { ...run, trainer },
      { ...run, run: 'b', documentsTotal: undefined, distributionsHeld: {}, bytes: 812, trainer: undefined },
    ],
    now,
  );
  expect(lines).toEqual([
    'RUN        DOCUMENTS    SIZE  DEAD LETTERS      AGE  LAST MESSAGE  TRAINER                    DISTRIBUTIONS',
    'demo  1,280 of 2,400  9.1 MB             2  1:01:05      0:02 ago  training, step 320 of 600  novelist 9, orator 1,024',
    'b         1,280 of ?   812 B             2  1:01:05      0:02 ago  –                          –',
  ]);
});
