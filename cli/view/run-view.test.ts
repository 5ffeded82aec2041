import { create } from '@bufbuild/protobuf';
import colors from 'picocolors';
import { expect, test } from 'vitest';
import {
  GetStatusResponseSchema,
  RolloutStatusSchema,
  TrainerState,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { fitted, runLine } from './display.ts';
import type { SeenRun } from './run-board.ts';
import { runView } from './run-view.ts';

const plain = colors.createColors(false);

const status = create(GetStatusResponseSchema, {
  run: 'demo',
  state: TrainerState.TRAINING,
  stepsTotal: 12n,
  documentsTotal: 1080n,
  documentsWaiting: 3,
  tokensPerSecond: 1500,
  secondsLeft: 42.4,
  skippedSteps: 2n,
  checkpointStep: 2n,
  started: { seconds: 1000n },
  checkpointTime: { seconds: 1053n },
  lastStep: {
    step: 3n,
    documents: 24n,
    loss: 3.25,
    causalLoss: 3.3,
    fusionLoss: 2.8,
    seconds: 2,
    waitSeconds: 1,
  },
  sources: [
    {
      teacher: 'orator',
      attached: true,
      tokensPerSecond: 12345.6,
      documentsScored: 1040n,
      queueDepth: 14,
      lagDocuments: 7n,
      documentsChosen: 18n,
      replicas: 2,
    },
    {
      teacher: 'novelist',
      attached: true,
      documentsScored: 38n,
      waitingForRoom: true,
      documentsChosen: 6n,
      documentsMissing: 2,
      deadLetters: 1n,
    },
    { teacher: 'engineer' },
  ],
  time: { compute: 6, optimizer: 1, wait: 3, checkpoint: 0.01 },
  heldOut: { step: 2n, bitsPerByte: { speeches: 2.11349, fiction: 1.9 } },
  streams: [
    { name: 'documents', messages: 900n, mostMessages: 1024n },
    { name: 'dead-letters', messages: 1n },
  ],
});
const seen: SeenRun = { run: 'demo', now: 1_065_000, status, curve: [4, 3.5, 3.25], silent: undefined };

test('draws where a run stands, on lines', () => {
  expect(runView(seen, plain)).toEqual([
    'run demo  training  1:05',
    '              ██████░░░░░░░░░░░░░░░░░░ step 3 of 12, 0:42 left',
    '  trainer     1,500 tokens/s, 24 of 1,080 documents trained on, 3 partly here',
    '  orator            12,346 tokens/s  2 replicas, 1,040 scored, 14 queued, lag 7, chosen 75 %',
    '  novelist    waits for the trainer  38 scored, 0 queued, owes 2, lag 0, chosen 25 %',
    '  engineer    is not attached',
    '  who waits   novelist waits for the trainer; the trainer waits for novelist (50 % of the last step)',
    '  loss        3.2500  (text 3.3000, fusion 2.8000)  █▃▁',
    '  held-out    speeches 2.113, fiction 1.900 bits per byte  (step 2)',
    '  time        compute 60 %, wait 30 %, optimizer 10 %',
    '  streams     documents 900 of 1,024, dead-letters 1',
    '  checkpoint  step 2, 0:12 ago',
    '  trouble     skipped steps 2; dead letters novelist 1',
  ]);
});

test('says what the target writes itself', () => {
  const last = {
    documents: 8,
    tokens: 300n,
    endedByLength: 2,
    staleness: 0.75,
    mostStaleness: 1n,
    divergence: 0.41234,
    repeatedShare: 0.031,
    tokensPerSecond: 812.4,
  };
  const totals = { documents: 1248n, tokens: 47_613n, endedByLength: 156n, dropped: 3n };
  const rollouts = create(RolloutStatusSchema, { ...totals, last });
  const onPolicy = { ...seen, status: { ...status, rollouts } };
  expect(runView(onPolicy, plain)).toEqual(
    expect.arrayContaining([
      '  rollouts    1,248 completions, 47,613 tokens, 13 % ended by length, 3 dropped',
      '              812 tokens/s, 38 tokens each, 25 % ended by length, 3 % repeats',
      '              KL to the judge 0.4123, 0.8 steps stale (1 at most)',
    ]),
  );
  expect(runLine(onPolicy)).toContain('| rollouts 812 tokens/s, KL to the judge 0.4123 |');
  const early = { ...seen, status: { ...status, rollouts: create(RolloutStatusSchema) } };
  expect(runView(early, plain)).toContain('  rollouts    0 completions, 0 tokens');
});

test('says on one line how far a run is', () => {
  expect(runLine({ ...seen, seconds: 65 })).toBe(
    '1:05 | training 3/12 | loss 3.2500  (text 3.3000, fusion 2.8000) | trainer 1,500 tokens/s | ' +
      'orator 12,346 tokens/s | novelist waits for the trainer | engineer is not attached | 0:42 left',
  );
});

test('keeps what it knows of a trainer that does not answer, and says so', () => {
  const silent = { ...seen, silent: 'No answer from 127.0.0.1:1' };
  const lines = runView(silent, plain);
  expect(lines[0]).toBe('run demo  no answer  1:05');
  expect(lines[1]).toContain('step 3 of 12');
  expect(lines.at(-1)).toContain('the trainer does not answer, trying again: No answer from 127.0.0.1:1');
  expect(runLine(silent)).toBe(
    '00:17:45 | the trainer does not answer, trying again: No answer from 127.0.0.1:1',
  );
});

test('says what is there before the trainer has said anything', () => {
  const early = { ...seen, seconds: 2, status: undefined, fed: { published: 40, total: 80 } };
  expect(runView(early, plain)).toEqual([
    'run demo  starting  0:02',
    '  corpus      40 of 80 documents published',
    '  trainer     waiting for it …',
  ]);
  expect(runLine(early)).toBe('0:02 | starting | published 40/80');
});

test('cuts what is too long for the terminal, and closes its colours', () => {
  const painted = colors.createColors(true);
  expect(fitted(['0123456789', painted.red('abcdefgh'), ''], 4)).toBe(`0123\n${painted.red('abcd')}\n`);
});
