import { expect, it } from 'vitest';
import { add, exp, matmul, reshape } from './expressions.ts';
import type { Value } from './graph.ts';
import { createGraph } from './operators.ts';
import { reachable } from './reachable.ts';
import { temporaryBytes } from './temporary-bytes.ts';

const bytesOf = (output: Value) =>
  temporaryBytes(reachable([output]), new Set([output.name]), { rows: 10 }) / (4 * 10);

it('counts a value from the node that gives it to the last that reads it', () => {
  const graph = createGraph();
  const x = graph.input('x', 'float32', ['rows', 3]);
  const wide = matmul(x, graph.input('a', 'float32', [3, 100]));
  const narrow = matmul(wide, graph.input('b', 'float32', [100, 5]));
  const last = matmul(narrow, graph.input('c', 'float32', [5, 7]));
  // 100 and 5 a row together, then 5 alone; the output stands elsewhere.
  expect(bytesOf(last)).toBe(105);
  // The wide one is still needed at the end.
  const both = add(matmul(last, graph.input('d', 'float32', [7, 100])), wide);
  expect(bytesOf(both)).toBe(207);
});

it('counts nothing for views, and for what takes the place of what it is made of', () => {
  const graph = createGraph();
  const product = matmul(graph.input('x', 'float32', ['rows', 3]), graph.input('a', 'float32', [3, 100]));
  const moved = reshape(exp(product), ['rows', 50, 2]);
  expect(bytesOf(exp(exp(moved)))).toBe(100);
});
