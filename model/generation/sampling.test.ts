import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uniformNumbers } from '../../numbers/random.ts';
import { chooseToken } from './sampling.ts';

const logitsOf = (probabilities: readonly number[]) => Float32Array.from(probabilities, Math.log);

/** How often each token is chosen. */
function frequencies(
  probabilities: readonly number[],
  sampling: { temperature: number; topP: number },
  draws = 20_000,
): number[] {
  const uniform = uniformNumbers(5);
  const logits = logitsOf(probabilities);
  const counts = probabilities.map(() => 0);
  for (let i = 0; i < draws; i++) counts[chooseToken(logits, sampling, uniform)]++;
  return counts.map((count) => count / draws);
}

describe('chooseToken', () => {
  it('takes the most probable token at temperature 0, the first of equal ones', () => {
    const never = () => {
      throw new Error('greedy search draws no number');
    };
    expect(chooseToken(Float32Array.of(1, 3, 2, 3), { temperature: 0, topP: 1 }, never)).toBe(1);
  });

  it('draws tokens as often as they are probable', () => {
    const drawn = frequencies([0.5, 0.1, 0.4], { temperature: 1, topP: 1 });
    for (const [i, probability] of [0.5, 0.1, 0.4].entries()) expect(drawn[i]).toBeCloseTo(probability, 1);
  });

  it('sharpens at a low temperature: probabilities to the power of its inverse', () => {
    const drawn = frequencies([0.6, 0.3, 0.1], { temperature: 0.5, topP: 1 });
    expect(drawn[0]).toBeCloseTo(0.36 / 0.46, 1);
    expect(drawn[1]).toBeCloseTo(0.09 / 0.46, 1);
  });

  it('keeps to the nucleus: the fewest tokens with the mass asked for', () => {
    const drawn = frequencies([0.15, 0.4, 0.15, 0.3], { temperature: 1, topP: 0.65 });
    expect(drawn[0]).toBe(0);
    expect(drawn[2]).toBe(0);
    expect(drawn[1]).toBeCloseTo(4 / 7, 1);
  });

  it('never leaves the nucleus, whatever the logits and the mass', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (values, topP, draw) => {
          const logits = Float32Array.from(values);
          const chosen = chooseToken(logits, { temperature: 1, topP }, () => draw);
          // The tokens more probable than the chosen one do not hold the mass by themselves.
          const weights = values.map((_, i) => Math.exp(logits[i]));
          const total = weights.reduce((a, b) => a + b, 0);
          const above = weights.filter((weight) => weight > weights[chosen]).reduce((a, b) => a + b, 0);
          expect(above / total).toBeLessThanOrEqual(topP + 1e-6);
        },
      ),
    );
  });
});
