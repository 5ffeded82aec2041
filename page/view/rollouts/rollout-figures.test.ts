import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { RolloutStatusSchema } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { rolloutFigures, rolloutTotals } from './rollout-figures.ts';

const rollouts = (init: MessageInitShape<typeof RolloutStatusSchema>) => create(RolloutStatusSchema, init);

it('tells what the target wrote for the last step', () => {
  const last = {
    documents: 8,
    tokens: 300n,
    endedByLength: 2,
    staleness: 0.75,
    mostStaleness: 1n,
    divergence: 0.4123,
    repeatedShare: 0.031,
    tokensPerSecond: 812.4,
  };
  expect(
    rolloutFigures(rollouts({ last })).map(({ value, unit, note }) => `${value}${unit}, ${note}`),
  ).toEqual([
    '812 tokens/s, written and trained on',
    '38 tokens, of a completion',
    '25\u202f%, 2 of 8 completions',
    '0.8 steps, 1 at most',
    '0.412 nats a token, on its own text',
    '3.1\u202f%, of four tokens in a row',
  ]);
});

it('has no figures before the first rollout', () => {
  expect(new Set(rolloutFigures(rollouts({})).map(({ value }) => value))).toEqual(new Set(['–']));
  expect(rolloutTotals(rollouts({}))).toBe('nothing yet');
  expect(rolloutTotals(rollouts({ dropped: 2n }))).toBe('nothing yet, 2 dropped');
});

it('tells what it wrote since the run began', () => {
  expect(
    rolloutTotals(rollouts({ documents: 1248n, tokens: 47_613n, endedByLength: 156n, dropped: 3n })),
  ).toBe(
    '1\u202f248 completions since the run began, 47\u202f613 tokens, 13\u202f% ended by length, 3 dropped',
  );
});
