import { describe, expect, it } from 'vitest';
import {
  afterEmptyStep,
  afterEvaluation,
  afterSkippedStep,
  initialState,
  trainingStateSchema,
} from './training-state.ts';

// After steps, skipped ones too: loop.test.ts.
describe('afterEvaluation', () => {
  const at = (step: number, best: { step: number; bitsPerByte: number } | null) => ({
    ...initialState('demo', 'ab'),
    step,
    best,
  });

  it('remembers the step of the least mean over domains', () => {
    expect(afterEvaluation(at(10, null), { fiction: 3, manuals: 1 }).best).toEqual({
      step: 10,
      bitsPerByte: 2,
    });
    const best = { step: 10, bitsPerByte: 2 };
    expect(afterEvaluation(at(20, best), { fiction: 2.9, manuals: 1 }).best).toEqual({
      step: 20,
      bitsPerByte: 1.95,
    });
    expect(afterEvaluation(at(20, best), { fiction: 3, manuals: 1 }).best).toEqual(best);
  });

  it('takes no mean that is NaN', () => {
    for (const domains of [{}, { fiction: Number.NaN }, { fiction: Number.POSITIVE_INFINITY }]) {
      expect(afterEvaluation(at(10, null), domains).best).toBeNull();
    }
  });
});

it('a step all of whose documents are passed over counts with them, and is none of the skipped in a row', () => {
  const state = initialState('demo', 'ab');
  const skipped = afterSkippedStep(state, { documents: [0, 2], passedOver: [1], droppedRollouts: 0 });
  expect(skipped).toMatchObject({ step: 1, documents: 3, documentsPassedOver: 1, skippedSteps: 1 });
  const empty = afterEmptyStep(skipped, { documents: [], passedOver: [3, 4, 5], droppedRollouts: 2 });
  expect(empty).toMatchObject({ step: 2, documents: 6, documentsPassedOver: 4, skippedSteps: 2 });
  expect(empty.skippedInRow).toEqual([{ step: 1, documents: [0, 2] }]);
  expect(empty.rollouts).toEqual({ documents: 0, tokens: 0, endedByLength: 0, dropped: 2 });
});

it('of a checkpoint from before there were rollouts says that there were none', () => {
  const { rollouts, ...before } = initialState('demo', 'ab');
  expect(trainingStateSchema.parse(before)).toEqual({ ...before, rollouts });
});
