import { expect, it } from 'vitest';
import { add, exp, max, mul, softmax, sum } from './expressions.ts';
import type { Value } from './graph.ts';
import { createGraph } from './operators.ts';
import { reachable } from './reachable.ts';
import { sharedBuffers } from './shared-buffers.ts';

const wide = ({ shape }: Value) => shape[1] === 100;
const buffersOf = (...outputs: Value[]) =>
  sharedBuffers(reachable(outputs).nodes, wide).map((values) =>
    values.map(({ origin }) => operatorOf(origin)),
  );
const operatorOf = (origin: Value['origin']) => (origin.kind === 'node' ? origin.node.operator : '');

it('puts a value into the place of the one that it is made of, where nobody reads that any more', () => {
  const graph = createGraph();
  const x = exp(graph.input('x', 'float32', ['rows', 100]));
  const y = softmax(x);
  // Reads the largest of y before it can scale y.
  const scaled = mul(y, max(y, 1, { keepAxes: true }));
  expect(buffersOf(sum(scaled, [1]))).toEqual([['Exp'], ['Softmax', 'Mul']]);
});

it('leaves it where another may read it later', () => {
  const graph = createGraph();
  const y = exp(graph.input('x', 'float32', ['rows', 100]));
  const scaled = mul(y, graph.input('scale', 'float32', ['rows', 1]));
  const most = max(y, 1, { keepAxes: true });
  expect(buffersOf(add(sum(scaled, [1], { keepAxes: true }), most))).toEqual([['Exp'], ['Mul']]);
});
