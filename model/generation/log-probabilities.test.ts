import fc from 'fast-check';
import { expect, it } from 'vitest';
import { logProbabilitiesOf } from './log-probabilities.ts';

const logit = fc.integer({ min: -8, max: 8 }).map((value) => value / 2);

it('are those of softmax, the most probable first, of equal ones the lowest id', () => {
  fc.assert(
    fc.property(
      fc.array(logit, { minLength: 1, maxLength: 40 }),
      fc.nat(),
      fc.nat({ max: 20 }),
      (values, pick, count) => {
        const logits = Float32Array.from(values);
        const chosen = pick % logits.length;
        const found = logProbabilitiesOf(logits, chosen, count);
        const sum = values.reduce((total, value) => total + Math.exp(value), 0);
        const right = (id: number) => Math.log(Math.exp(values[id]) / sum);
        const order = values.map((_, id) => id).sort((a, b) => values[b] - values[a] || a - b);
        expect(found.chosen).toBeCloseTo(right(chosen), 10);
        expect([...found.ids]).toEqual(order.slice(0, count));
        expect(found.values).toHaveLength(found.ids.length);
        for (const [i, id] of found.ids.entries()) expect(found.values[i]).toBeCloseTo(right(id), 10);
      },
    ),
  );
});

it('are numbers where logits are far from zero', () => {
  const { chosen, values } = logProbabilitiesOf(Float32Array.of(2000, 1000), 1, 1);
  expect(chosen).toBe(-1000);
  expect([...values]).toEqual([0]);
});
