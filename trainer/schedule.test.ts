import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learningRateAt, type Schedule } from './loop.ts';
import { scheduleOf, totalSteps } from './schedule.ts';

const peak = fc.double({ min: 1e-6, max: 1, noNaN: true });
const schedule: fc.Arbitrary<Schedule> = fc.record({
  kind: fc.constantFrom('cosine', 'linear', 'constant'),
  peak,
  warmupSteps: fc.integer({ min: 0, max: 400 }),
  totalSteps: fc.integer({ min: 1, max: 300 }),
});

describe('learningRateAt', () => {
  it('rises over the warm-up, then falls or stays, and is never 0 nor above the peak', () => {
    fc.assert(
      fc.property(schedule, (one) => {
        let previous = 0;
        for (let step = 1; step <= one.totalSteps; step++) {
          const rate = learningRateAt(step, one);
          expect(rate).toBeGreaterThan(0);
          expect(rate).toBeLessThanOrEqual(one.peak);
          if (step <= one.warmupSteps) expect(rate).toBeGreaterThan(previous);
          else if (step === one.warmupSteps + 1 || one.kind === 'constant') expect(rate).toBe(one.peak);
          else expect(rate).toBeLessThan(previous);
          previous = rate;
        }
      }),
    );
  });

  it("is that of Hugging Face's get_…_schedule_with_warmup, its warm-up one step ahead", () => {
    // Its formulas, with its own count of steps from 0.
    const theirs = (step: number, { kind, peak, warmupSteps, totalSteps }: Schedule) => {
      if (step < warmupSteps) return peak * (step / Math.max(1, warmupSteps));
      const length = Math.max(1, totalSteps - warmupSteps);
      if (kind === 'constant') return peak;
      if (kind === 'linear') return peak * Math.max(0, (totalSteps - step) / length);
      return peak * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * 0.5 * 2 * ((step - warmupSteps) / length))));
    };
    fc.assert(
      fc.property(schedule, (one) => {
        for (let step = 1; step <= one.totalSteps; step++) {
          const sameAs = step < one.warmupSteps ? step : step - 1;
          if (step !== one.warmupSteps)
            expect(learningRateAt(step, one)).toBeCloseTo(theirs(sameAs, one), 12);
        }
      }),
    );
  });

  it('is at half of the peak midway through cosine and line', () => {
    for (const kind of ['cosine', 'linear'] as const) {
      const one = { kind, peak: 0.4, warmupSteps: 10, totalSteps: 100 };
      expect(learningRateAt(5, one)).toBeCloseTo(0.2);
      expect(learningRateAt(10, one)).toBeCloseTo(0.4);
      expect(learningRateAt(56, one)).toBeCloseTo(0.2);
    }
  });
});

describe('scheduleOf', () => {
  const trainer = { schedule: 'linear', learningRate: 0.4, warmupRatio: 0.05 } as const;

  it('takes the share of the steps, rounded up, unless their number is given', () => {
    expect(scheduleOf(trainer, 90)).toEqual({ kind: 'linear', peak: 0.4, warmupSteps: 5, totalSteps: 90 });
    expect(scheduleOf({ ...trainer, warmupSteps: 0 }, 90)).toMatchObject({ warmupSteps: 0 });
    expect(scheduleOf({ ...trainer, warmupSteps: 12 }, 90)).toMatchObject({ warmupSteps: 12 });
  });
});

describe('totalSteps', () => {
  const fresh = { step: 0, documents: 0 };

  it('makes one pass, a short last batch included, and comes to the same after a restart', () => {
    expect(totalSteps({ epochs: 1, batchDocuments: 8 }, 41, fresh)).toBe(6);
    expect(totalSteps({ epochs: 1, batchDocuments: 8 }, 41, { step: 3, documents: 24 })).toBe(6);
    expect(totalSteps({ epochs: 1, batchDocuments: 8 }, 41, { step: 6, documents: 41 })).toBe(6);
  });

  it('makes as many passes as there are epochs, each with a short last batch', () => {
    const trainer = { epochs: 3, batchDocuments: 8 };
    expect(totalSteps(trainer, 41, fresh)).toBe(18);
    expect(totalSteps(trainer, 41, { step: 8, documents: 57 })).toBe(18);
    expect(totalSteps({ ...trainer, steps: 7 }, 41, fresh)).toBe(7);
    expect(() => totalSteps({ ...trainer, steps: 19 }, 41, fresh)).toThrow(/18 steps .*epochs 3/);
  });

  it('takes fewer when asked, and refuses more', () => {
    expect(totalSteps({ epochs: 1, batchDocuments: 8, steps: 2 }, 41, fresh)).toBe(2);
    expect(() => totalSteps({ epochs: 1, batchDocuments: 8, steps: 7 }, 41, fresh)).toThrow(
      /trainer.steps is 7/,
    );
  });
});
