import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import type { JudgedRollout } from '../../../fusion/batch/judged-rollout.ts';
import { RolloutSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { rolloutStatusMessage, stepRolloutsMessage } from './rollout-messages.ts';
import { stepRollouts } from './step-rollouts.ts';
import { withStep } from './written-so-far.ts';

const written = (
  number: number,
  weightsStep: number,
  changes: Partial<JudgedRollout> = {},
): JudgedRollout => ({
  number,
  rollout: create(RolloutSchema, {
    weightsStep: BigInt(weightsStep),
    tokens: 10,
    logProbability: -20,
    seconds: 1,
  }),
  judge: { source: 1, crossEntropy: 24 },
  prompt: 'Why?',
  text: 'Because.',
  unfinished: false,
  fourGrams: 7,
  repeatedFourGrams: 0,
  ...changes,
});
const sources = ['orator', 'novelist'];

it('tells what a step was trained on: ages by its own number, and a divergence that counts every token the same', () => {
  const longer = create(RolloutSchema, { weightsStep: 9n, tokens: 30, logProbability: -30 });
  const rollouts = stepRollouts(
    [
      written(4, 7),
      written(5, 9, {
        rollout: longer,
        judge: { source: 0, crossEntropy: 60 },
        unfinished: true,
        fourGrams: 13,
        repeatedFourGrams: 2,
      }),
    ],
    10,
    sources,
  )!;
  expect(stepRolloutsMessage({ rollouts, seconds: 2 })).toMatchObject({
    documents: 2,
    tokens: 40n,
    endedByLength: 1,
    staleness: 1,
    mostStaleness: 2n,
    divergence: (4 + 30) / 40,
    repeatedShare: 0.1,
    tokensPerSecond: 20,
  });
  expect(rollouts.shown).toEqual([
    expect.objectContaining({
      document: 5,
      judge: 'orator',
      logProbability: -1,
      judgeLogProbability: -2,
      unfinished: true,
    }),
    expect.objectContaining({
      document: 4,
      judge: 'novelist',
      logProbability: -2,
      judgeLogProbability: -2.4,
    }),
  ]);
  expect(stepRollouts([], 10, sources)).toBeUndefined();
});

it('shows the newest few, newest first, each of a bounded length', () => {
  const totals = { documents: 6, tokens: 60, endedByLength: 0, dropped: 1 };
  const none = { totals, last: undefined, shown: [] };
  const step = (numbers: number[], changes?: Partial<JudgedRollout>) => ({
    rollouts: stepRollouts(
      numbers.map((number) => written(number, 0, changes)),
      1,
      sources,
    ),
    rolloutTotals: totals,
    seconds: 1,
  });
  const first = withStep(none, step([0, 1, 2], { text: `${'x'.repeat(1_999)}😀 and on` }));
  const second = withStep(withStep(first, step([])), step([3, 4]));
  const message = rolloutStatusMessage(second);
  expect(message).toMatchObject({
    documents: 6n,
    tokens: 60n,
    endedByLength: 0n,
    dropped: 1n,
    last: { documents: 2 },
  });
  expect(message.latest.map(({ document }) => document)).toEqual([4n, 3n, 2n, 1n]);
  expect(message.latest[2].text).toBe(`${'x'.repeat(1_999)} …`);
});
