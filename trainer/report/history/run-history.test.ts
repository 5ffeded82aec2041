import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noFigures } from '../../../wire/messages/figure-values.ts';
import { type HistoryPoint, merged } from './history-point.ts';
import { RunHistory } from './run-history.ts';

const pointOf = (step: number): HistoryPoint => ({
  ...noFigures,
  step,
  time: 1_000 + step,
  steps: 1,
  tokens: 100 + step,
  seconds: 2,
  waitSeconds: 0.5,
  loss: step,
  causalLoss: 2 * step,
  fusionLoss: 3,
  gradientNorm: 1,
  learningRate: 1e-4,
  alignedShare: 0.9,
  chosen: step % 2 === 0 ? { fiction: 1 } : { manuals: 2 },
  without: step === 2 ? { fiction: 2, manuals: 1 } : { fiction: 1 },
  tokensPerSecond: { fiction: 10 * step },
});

describe('merged', () => {
  it('adds up what is counted, and weighs means by steps', () => {
    const three = merged(merged(pointOf(1), pointOf(2)), pointOf(3));
    expect(three).toMatchObject({
      step: 3,
      time: 1_003,
      steps: 3,
      tokens: 306,
      seconds: 6,
      waitSeconds: 1.5,
    });
    expect(three).toMatchObject({ loss: 2, causalLoss: 4, fusionLoss: 3 });
    expect(three.without).toEqual({ fiction: 4, manuals: 1 });
    expect(three.chosen).toEqual({ fiction: 1, manuals: 4 });
    expect(three.tokensPerSecond['fiction']).toBeCloseTo(20);
  });
});

describe('RunHistory', () => {
  it('keeps every step of a short run, and tells what came after one', () => {
    const history = new RunHistory();
    for (const step of [1, 2, 4]) history.add(pointOf(step));
    history.addHeldOut({ step: 2, bitsPerByte: { manuals: 3 } });
    history.addHeldOut({ step: 4, bitsPerByte: { manuals: 2 } });
    expect(history.points).toEqual([1, 2, 4].map(pointOf));
    expect(history.since(2)).toEqual({
      points: [pointOf(4)],
      heldOut: [{ step: 4, bitsPerByte: { manuals: 2 } }],
    });
  });

  it('is bounded however long the run is, and loses no token of it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), (steps) => {
        const history = new RunHistory();
        for (let step = 1; step <= steps; step++) history.add(pointOf(step));
        const { points } = history;
        expect(points.length).toBeLessThanOrEqual(2_000);
        expect(points.length).toBeGreaterThanOrEqual(Math.min(steps, 1_000));
        const sum = (of: (point: HistoryPoint) => number) =>
          points.reduce((all, point) => all + of(point), 0);
        expect(sum((point) => point.steps)).toBe(steps);
        expect(sum((point) => point.tokens)).toBe(100 * steps + (steps * (steps + 1)) / 2);
        expect(sum((point) => point.loss * point.steps)).toBeCloseTo((steps * (steps + 1)) / 2, 3);
        expect(points.at(-1)?.step).toBe(steps);
        expect(points.every((point, i) => i === 0 || point.step > points[i - 1].step)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
