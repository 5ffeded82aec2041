import fc from 'fast-check';
import { expect, it } from 'vitest';
import { alignBySharedBoundaries, says } from './alignment.ts';
import { labelLogProbabilities } from './label-log-probabilities.ts';

/** Where tokens of a text of 12 bytes end; several may end at one place. */
const endsOfText = fc
  .array(fc.nat(12), { maxLength: 14 })
  .map((ends) => Int32Array.from([...ends, 12]).sort((a, b) => a - b));

it('is the product of the steps between the two ends of a token where both are shared, and nothing elsewhere', () => {
  fc.assert(
    fc.property(
      endsOfText,
      endsOfText,
      fc.infiniteStream(fc.double({ min: -9, max: 0, noNaN: true })),
      (target, ends, nats) => {
        const steps = Float32Array.from(ends, () => nats.next().value);
        const { rows, kinds, chainedLogProbabilities } = alignBySharedBoundaries(target, {
          ends,
          tokenLogProbabilities: steps,
        });
        const found = labelLogProbabilities(rows, steps);
        /** Of all that has been read up to a byte: the last token that ends there has read it. */
        const upTo = (end: number) => steps.reduce((sum, step, i) => (ends[i] <= end ? sum + step : sum), 0);
        target.forEach((end, position) => {
          const next = target[position + 1];
          const whole = (byte: number) => ends.includes(byte);
          // Of tokens of the target that end together, the last alone has read what lies before.
          const readsAll = end !== next && next !== target[position + 2];
          if (next === undefined || !readsAll || !whole(end) || !whole(next)) {
            expect(found[position]).toBeNaN();
            return;
          }
          expect(found[position]).toBeCloseTo(upTo(next) - upTo(end), 4);
          if (kinds[position] === says.chained) {
            expect(found[position]).toBeCloseTo(chainedLogProbabilities[position], 4);
          }
        });
      },
    ),
  );
});
