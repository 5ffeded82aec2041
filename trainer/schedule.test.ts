import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learningRateAt, type Schedule } from './schedule.ts';

const schedule: fc.Arbitrary<Schedule> = fc.record({
  peak: fc.double({ min: 1e-6, max: 1, noNaN: true }),
  warmupRatio: fc.double({ min: 0, max: 1, noNaN: true }),
  totalSteps: fc.integer({ min: 1, max: 300 }),
});

describe('learningRateAt', () => {
  it('rises over the warm-up, then falls, and is never 0 nor above the peak', () => {
    fc.assert(
      fc.property(schedule, (one) => {
        const warmupSteps = Math.ceil(one.totalSteps * one.warmupRatio);
        let previous = 0;
        for (let step = 1; step <= one.totalSteps; step++) {
          const rate = learningRateAt(step, one);
          expect(rate).toBeGreaterThan(0);
          expect(rate).toBeLessThanOrEqual(one.peak);
          if (step <= warmupSteps) expect(rate).toBeGreaterThan(previous);
          else if (step > warmupSteps + 1) expect(rate).toBeLessThan(previous);
          previous = rate;
        }
      }),
    );
  });

  it('is at the peak where warm-up ends, and at half of it midway through the cosine', () => {
    const one = { peak: 0.4, warmupRatio: 0.1, totalSteps: 100 };
    expect(learningRateAt(5, one)).toBeCloseTo(0.2);
    expect(learningRateAt(10, one)).toBeCloseTo(0.4);
    expect(learningRateAt(56, one)).toBeCloseTo(0.2);
    expect(learningRateAt(1, { ...one, warmupRatio: 0 })).toBe(0.4);
  });
});
