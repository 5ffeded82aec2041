import { expect, test } from 'vitest';
import { NOT_ALIGNED } from '../../../fusion/align/boundary.ts';
import { mixtureNats, stretchesOf } from './mixture-loss.ts';

const source = (rows: number[], probabilities: number[]) => ({
  rows: Int32Array.from(rows),
  distribution: { tokenLogProbabilities: Float32Array.from(probabilities, Math.log) },
});
const sources = [
  source([0, 1, 2, 4], [1, 0.5, 0.5, 0.5, 0.25]),
  source([0, NOT_ALIGNED, 1, 2], [1, 0.125, 0.5]),
];
const stretches = stretchesOf(sources, Int32Array.of(2, 3, 6, 9));

test('cuts a text where all sources are aligned', () => {
  expect(stretches.begins).toEqual([0, 2]);
  expect(stretches.bytes).toBe(7);
  expect([...stretches.nats]).toEqual(
    [0.25, 0.125, 0.125, 0.5].map((likelihood) => expect.closeTo(-Math.log(likelihood), 6)),
  );
});

test('a mixture of one source has its cross-entropy, and of two the likelihoods add up', () => {
  for (const only of [0, 1]) {
    const own = mixtureNats(stretches, 2, (_, s) => Number(s === only));
    expect(own).toBeCloseTo(stretches.nats[only] + stretches.nats[2 + only], 6);
  }
  const expected = -Math.log(0.25 * 0.25 + 0.75 * 0.125) - Math.log(0.5 * 0.125 + 0.5 * 0.5);
  const weights = [0.25, 0.75, 0, 0, 0.5, 0.5];
  expect(mixtureNats(stretches, 2, (position, s) => weights[2 * position + s])).toBeCloseTo(expected, 6);
});
