import { expect, test } from 'vitest';
import { refuseUnequal } from './equal-effort.ts';

const named = (
  experiment: string,
  changes: { seed?: number; share?: number; steps?: number; tokens?: number; skippedSteps?: number },
) => ({
  experiment,
  share: changes.share ?? 1,
  passes: 1,
  result: {
    key: experiment,
    name: experiment,
    seed: 1,
    learningRate: 1,
    bitsPerByte: {},
    steps: 10,
    skippedSteps: 0,
    tokens: 100,
    seconds: 1,
    weightsSha256: '',
    ...changes,
  },
});

test('the same steps and tokens with the same seed and share are compared', () => {
  const results = [named('a', {}), named('b', {}), named('half', { share: 0.5, steps: 5, tokens: 50 })];
  expect(() => refuseUnequal([...results, named('a', { seed: 2, tokens: 101 })])).not.toThrow();
});

test.each([
  ['tokens', { tokens: 99 }],
  ['steps', { steps: 9 }],
  ['skipped steps', { skippedSteps: 1 }],
])('other %s are not', (_, changes) => {
  expect(() => refuseUnequal([named('a', {}), named('b', changes)])).toThrow(/"b" with seed 1/);
});
