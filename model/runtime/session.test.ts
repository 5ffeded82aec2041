import { describe, expect, it } from 'vitest';
import { add, matmul, mul } from '../graph/expressions.ts';
import { accumulate } from '../graph/gradients.ts';
import type { Value } from '../graph/graph.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import { openSession } from './session.ts';

const size = 1 << 20;

/** Outputs [size] under their own names. */
const openInto = (...outputs: Value[]) =>
  openSession(emitModel(Object.fromEntries(outputs.map((value) => [value.name, value]))), {
    threads: 1,
  });

describe('outputs into buffers', () => {
  it('are computed there, without copies', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', [size]);
    const [sum, square] = [add(x, 1), mul(x, x)];
    const session = await openInto(sum, square);
    const feeds = { x: { data: new Float32Array(size).fill(3), shape: [size] } };
    const buffers = [new Float32Array(size), new Float32Array(size)];
    const into = {
      [sum.name]: { data: buffers[0], shape: [size] },
      [square.name]: { data: buffers[1], shape: [size] },
    };
    const results = await session.run(feeds, into);
    expect(results[sum.name]).toBe(buffers[0]);
    expect(results[square.name]).toBe(buffers[1]);
    for (const i of [0, size - 1]) expect([buffers[0][i], buffers[1][i]]).toEqual([4, 9]);

    // Arrays of the binding's own would be counted among those that are kept for JavaScript.
    const before = process.memoryUsage().arrayBuffers;
    for (let run = 0; run < 5; run++) await session.run(feeds, into);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * size);
    await session.close();
  });

  it('may be those of an input, to which a product is added', async () => {
    const graph = createGraph();
    const sum = graph.input('sum', 'float32', [2, 2]);
    const product = matmul(graph.input('a', 'float32', [2, 1]), graph.input('b', 'float32', [1, 2]));
    const added = accumulate(sum, product);
    const session = await openInto(added);
    const total = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
    const feeds = {
      sum: total,
      a: { data: Float32Array.of(10, 20), shape: [2, 1] },
      b: { data: Float32Array.of(1, 2), shape: [1, 2] },
    };
    for (let run = 0; run < 2; run++) await session.run(feeds, { [added.name]: total });
    expect([...total.data]).toEqual([21, 42, 43, 84]);
    await session.close();
  });

  it('are refused where one has no buffer, and other failures are not hidden', async () => {
    const graph = createGraph();
    const sum = add(graph.input('x', 'float32', ['n']), 1);
    const session = await openInto(sum);
    const x = { data: new Float32Array(2), shape: [2] };
    await expect(session.run({ x }, {})).rejects.toThrow(`there is no tensor for the output "${sum.name}"`);
    const short = { data: new Float32Array(1), shape: [1] };
    await expect(session.run({ x }, { [sum.name]: short })).rejects.toThrow(/shape/i);
    await session.close();
  });
});
