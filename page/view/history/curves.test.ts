import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import {
  GetHistoryResponseSchema,
  HeldOutSchema,
  RolloutHistorySchema,
} from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { curvesOf, lastStepOf, mergeCurves, noCurves, withHeldOut } from './curves.ts';

/** An answer with points that end at these steps; every column holds the step's number. */
function answer(steps: number[], { each = 1, teachers = ['orator'], heldOut = [] as number[] } = {}) {
  const columns = [
    'time',
    'loss',
    'causalLoss',
    'fusionLoss',
    'gradientNorm',
    'learningRate',
    'alignedShare',
  ];
  return create(GetHistoryResponseSchema, {
    ...Object.fromEntries([...columns, 'tokensPerSecond', 'waitShare'].map((column) => [column, steps])),
    step: steps.map(BigInt),
    steps: steps.map(() => each),
    sources: teachers.map((teacher) => ({ teacher, tokensPerSecond: steps, chosenShare: steps })),
    heldOut: heldOut.map((step) => ({ step: BigInt(step), bitsPerByte: { speeches: step } })),
  });
}

it('puts what is new behind what is known', () => {
  const merged = mergeCurves(curvesOf(answer([1, 2], { heldOut: [2] })), answer([3, 4], { heldOut: [4] }));
  expect(merged).toEqual(curvesOf(answer([1, 2, 3, 4], { heldOut: [2, 4] })));
  expect(lastStepOf(merged)).toBe(4);
});

it('replaces everything where the trainer tells its thinned history again', () => {
  const thinned = answer([2, 4, 6], { each: 2, heldOut: [2] });
  expect(mergeCurves(curvesOf(answer([1, 2, 3, 4, 5])), thinned)).toEqual(curvesOf(thinned));
});

it('replaces the last point where it has grown', () => {
  const grown = mergeCurves(curvesOf(answer([1, 2, 3])), answer([4], { each: 2 }));
  expect(grown.step).toEqual([1, 2, 4]);
  expect(grown.loss).toEqual([1, 2, 4]);
  expect(grown.sources[0].chosenShare).toEqual([1, 2, 4]);
});

it('takes a look at the held-out texts without a step', () => {
  const merged = mergeCurves(curvesOf(answer([1, 2])), answer([], { heldOut: [2] }));
  expect(merged).toEqual(curvesOf(answer([1, 2], { heldOut: [2] })));
});

it('is what it was where nothing is new', () => {
  const known = curvesOf(answer([1, 2]));
  expect(mergeCurves(known, answer([]))).toBe(known);
  expect(mergeCurves(noCurves, answer([1]))).toEqual(curvesOf(answer([1])));
});

it('leaves gaps where a source was not known', () => {
  const { sources } = mergeCurves(curvesOf(answer([1, 2])), answer([3], { teachers: ['novelist'] }));
  expect(sources.map(({ teacher, chosenShare }) => [teacher, ...chosenShare])).toEqual([
    ['orator', 1, 2, Number.NaN],
    ['novelist', Number.NaN, Number.NaN, 3],
  ]);
});

it('leaves gaps where the target wrote nothing itself', () => {
  const columns = ['documents', 'length', 'endedByLengthShare', 'staleness', 'divergence', 'repeatedShare'];
  const written = (steps: number[]) =>
    create(GetHistoryResponseSchema, {
      ...answer(steps),
      rollouts: create(
        RolloutHistorySchema,
        Object.fromEntries([...columns, 'tokensPerSecond'].map((column) => [column, steps])),
      ),
    });
  expect(mergeCurves(curvesOf(answer([1])), answer([2])).rollouts).toBeUndefined();
  const begun = mergeCurves(curvesOf(answer([1, 2])), written([3]));
  expect(begun.rollouts?.divergence).toEqual([Number.NaN, Number.NaN, 3]);
  expect(mergeCurves(begun, answer([4])).rollouts?.length).toEqual([Number.NaN, Number.NaN, 3, Number.NaN]);
  const grown = mergeCurves(curvesOf(written([1, 2, 3])), written([3, 4]));
  expect(grown.rollouts).toEqual(curvesOf(written([1, 2, 3, 4])).rollouts);
});

it('takes each look at the held-out texts once, in order', () => {
  const look = (step: number) =>
    create(HeldOutSchema, { step: BigInt(step), bitsPerByte: { speeches: step } });
  const known = curvesOf(answer([1, 2, 3], { teachers: [], heldOut: [3] }));
  expect(withHeldOut(known, look(3))).toBe(known);
  expect(withHeldOut(known, undefined)).toBe(known);
  expect(withHeldOut(known, look(2)).heldOut.map(({ step }) => step)).toEqual([2, 3]);
});
