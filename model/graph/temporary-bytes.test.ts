import { expect, it } from 'vitest';
import { add, attentionInParts, exp, matmul, reshape } from './expressions.ts';
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

it('counts what attention in parts takes while it runs: that grows with the length, not with its square', () => {
  const graph = createGraph();
  const queries = graph.input('queries', 'float32', ['rows', 'length', 32]);
  const keys = graph.input('keys', 'float32', ['rows', 2, 'length', 8]);
  const mixed = attentionInParts(queries, keys, keys, {
    scale: 1,
    positions: graph.input('positions', 'int64', ['rows', 'length']),
    scoreBytes: 1,
    fewestQueries: 16,
    packed: false,
  });
  const at = (length: number) =>
    temporaryBytes(reachable([mixed]), new Set([mixed.name]), { rows: 1, length });
  // Three times the scores of 16 queries in four heads, and twice the result.
  expect(at(1000)).toBe(3 * (4 * 4 * 16 * 1000) + 2 * (4 * 32 * 1000));
  expect(at(2000)).toBe(2 * at(1000));
});
