import colors from 'picocolors';
import { expect, test } from 'vitest';
import type { RunProgress } from './progress.ts';
import { duration, progressLine, progressView } from './progress-lines.ts';

const progress: RunProgress = {
  seconds: 65,
  fed: { published: 40, total: 80 },
  teachers: [
    { name: 'orator', tokensPerSecond: 12345.6, documentsScored: 40, waitingForRoom: false },
    { name: 'novelist', tokensPerSecond: 0, documentsScored: 38, waitingForRoom: true },
  ],
  trainer: {
    step: 3,
    stepsTotal: 12,
    loss: 3.25,
    causalLoss: 3.3,
    fusionLoss: 2.8,
    tokensPerSecond: 1500,
    documents: 24,
    documentsWaiting: 14,
    secondsLeft: 42.4,
  },
};

test('says on one line how far a run is', () => {
  expect(progressLine(progress)).toBe(
    '1:05 | step 3/12 | loss 3.2500 | trainer 1,500 tokens/s | joined 24, waiting 14 | ' +
      'orator 12,346 tokens/s | novelist waits for the trainer | 0:42 left',
  );
});

test('says what it waits for before the first step', () => {
  expect(progressLine({ seconds: 2, fed: undefined, teachers: [], trainer: undefined })).toBe(
    '0:02 | counting the corpus',
  );
});

test('draws a line for the corpus, for each teacher and for the trainer', () => {
  const view = progressView('demo', progress, colors.createColors(false));
  expect(view.split('\n')).toEqual([
    'run demo  1:05',
    '  corpus    40 of 80 documents published',
    '  orator          12,346 tokens/s  40 documents scored',
    '  novelist  waits for the trainer  38 documents scored',
    '  trainer          1,500 tokens/s  24 documents joined, 14 waiting',
    '            loss 3.2500  (text 3.3000, fusion 2.8000)',
    '            ██████░░░░░░░░░░░░░░░░░░ step 3 of 12, 0:42 left',
  ]);
});

test('writes durations as people read them', () => {
  expect([0, 59.6, 61, 3725].map(duration)).toEqual(['0:00', '1:00', '1:01', '1:02:05']);
});
