import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitModel } from '../onnx/emit.ts';
import { openSession } from '../runtime/session.ts';
import * as e from './expressions.ts';
import type { OperatorTable, Value } from './graph.ts';
import { createGraph, operators } from './operators.ts';
import { elementCount, product } from './shape.ts';

const float = (graph: ReturnType<typeof createGraph>, name: string, shape: readonly number[]) =>
  graph.input(name, 'float32', shape);

describe('nonsense is refused at once, naming operator and operands', () => {
  const graph = createGraph();
  const a = float(graph, 'a', [2, 3]);
  const b = float(graph, 'b', [2, 4]);
  const ids = graph.input('ids', 'int32', [5]);
  const cases: [string, () => unknown, string][] = [
    [
      'shapes that do not broadcast',
      () => e.add(a, b),
      'Add: "a" (float32 [2, 3]) and "b" (float32 [2, 4]): the shapes do not broadcast',
    ],
    ['inner sizes that differ', () => e.matmul(a, b), 'inner sizes 3 and 2 differ'],
    ['another element type', () => e.add(ids, 1), 'the element types differ; cast one of them'],
    ['float indices', () => e.gatherRows(a, float(graph, 'f', [5])), 'takes int32 or int64'],
    [
      'a shape of another size',
      () => e.reshape(a, [4]),
      'Reshape: "a" (float32 [2, 3]): holds 6 values, the shape [4] holds 4',
    ],
    [
      'a norm of another width',
      () => e.rmsNorm(a, float(graph, 'w', [2]), 1e-5),
      'the weight must have the size of the last axis',
    ],
    ['a slice outside', () => e.slice(a, 1, 2, 4), '2 to 4 is not a part of axis 1'],
    [
      'an axis outside',
      () => e.mean(a, 2),
      'ReduceMean: "a" (float32 [2, 3]): axis 2 is outside a tensor of rank 2',
    ],
    ['too many of the largest', () => e.topK(a, 4), 'has no 4 values along its last axis'],
    [
      'parts that differ',
      () => e.concat([a, float(graph, 'c', [3, 3])], 1),
      'may differ in size along axis 1 only',
    ],
    [
      'a value of another graph',
      () => e.add(a, float(createGraph(), 'x', [2, 3])),
      'belongs to another graph',
    ],
    ['an input of a name that is taken', () => float(graph, 'a', [1]), 'has a value "a" already'],
    [
      'a constant of too few bytes',
      () => graph.constant('k', 'float32', [3], { kind: 'bytes', bytes: new Uint8Array(8) }),
      'takes 12 bytes, got 8',
    ],
  ];
  it.each(cases)('%s', (_, build, message) => {
    expect(build).toThrow(message);
  });
});

describe('the table of operators', () => {
  it('does not compile without a form in ONNX, or with parameters of another operator', () => {
    const { toOnnx: _, ...unwritten } = operators.Neg;
    // @ts-expect-error toOnnx is missing
    const incomplete: OperatorTable = { ...operators, Neg: unwritten };
    expect(incomplete.Neg).not.toHaveProperty('toOnnx');

    const graph = createGraph();
    const x = float(graph, 'x', [2, 3]);
    // @ts-expect-error Transpose takes a permutation
    expect(() => graph.apply('Transpose', [x], { axis: 0 })).toThrow();
  });
});

it('counts axes from the end when they are negative', () => {
  const x = float(createGraph(), 'x', [2, 3, 4]);
  expect(e.slice(x, -1, 0, 1).shape).toEqual([2, 3, 1]);
});

/** Random expressions on a matrix that keep rank 2, so that they can follow one another. */
const steps: Readonly<Record<string, (x: Value, n: number) => Value>> = {
  transpose: (x) => e.transpose(x, [1, 0]),
  reshape: (x) => e.reshape(x, [x.shape[1], x.shape[0]]),
  slice: (x) => e.slice(x, 0, 0, Math.max(1, (x.shape[0] as number) - 1)),
  concat: (x) => e.concat([x, x], 1),
  sum: (x, n) => e.sum(x, [n % 2], { keepAxes: true }),
  softmax: (x) => e.softmax(x),
  square: (x) => e.matmul(x, x, { transposeB: true }),
  stretch: (x) => e.add(e.sum(x, [0], { keepAxes: true }), e.sum(x, [1], { keepAxes: true })),
  expand: (x) => e.expand(e.mean(x, 0, { keepAxes: true }), [3, x.shape[1]]),
  largest: (x) => e.topK(x, 1).values,
};

describe('inferred shapes', () => {
  it('are those that ONNX Runtime computes', async () => {
    const chains = fc.array(fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(1)), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
        chains,
        async (shape, chain) => {
          const graph = createGraph();
          const y = chain.reduce((x, [name, n]) => steps[name](x, n), float(graph, 'x', shape) as Value);
          const session = await openSession(emitModel({ y }), { threads: 1 });
          const x = { shape, data: new Float32Array(elementCount(shape)).fill(0.5) };
          // A buffer of the inferred shape: ONNX Runtime refuses one that does not fit.
          const into = {
            y: { shape: y.shape as readonly number[], data: new Float32Array(elementCount(y.shape)) },
          };
          await session.run({ x }, into);
          await session.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('may be open: one model runs at any size', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 'length', 4]);
    const rows = e.reshape(x, [product(['batch', 'length']), 4]);
    const pairs = e.reshape(rows, ['batch', product([2, 'length']), 2]);
    const stretched = e.expand(pairs, ['batch', product([2, 'length']), 2]);
    const y = e.sum(e.transpose(stretched, [1, 0, 2]), [2]);
    expect(y.shape).toEqual(['2*length', 'batch']);
    const session = await openSession(emitModel({ y }), { threads: 1 });
    for (const [batch, length] of [
      [1, 1],
      [2, 3],
      [4, 2],
    ]) {
      const data = Float32Array.from({ length: batch * length * 4 }, (_, i) => i);
      const { y: sums } = await session.run({ x: { data, shape: [batch, length, 4] } });
      expect(sums.length).toBe(batch * length * 2);
      expect(sums[0]).toBe(1);
    }
    await session.close();
  });
});
