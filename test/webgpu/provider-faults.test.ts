import { describe, expect, it } from 'vitest';
import { layerNorm, scatterAddRows } from '../../model/graph/expressions.ts';
import type { Value } from '../../model/graph/graph.ts';
import { createGraph } from '../../model/graph/operators.ts';
import { type Dialect, emitModel } from '../../model/onnx/emit.ts';
import { openSession } from '../../model/runtime/session.ts';
import type { HostTensor } from '../../model/runtime/tensor.ts';
import { largestDifference } from '../support/golden.ts';
import { refusalOfDevice } from './software-device.ts';

const refusal = await refusalOfDevice();
type Feeds = Readonly<Record<string, HostTensor>>;

/** The values of an output in several runs. */
async function runs(output: Value, feeds: Feeds, dialect: Dialect, count = 1): Promise<Float32Array[]> {
  const session = await openSession(emitModel({ output }, { dialect }), { threads: 1, provider: 'webgpu' });
  const results: Float32Array[] = [];
  for (let i = 0; i < count; i++) results.push((await session.run(feeds))['output'] as Float32Array);
  await session.close();
  return results;
}

/** Says that a workaround may go: a provider that is mended fails no test. */
function sayMended(what: string): void {
  process.stderr.write(`ONNX Runtime's WebGPU provider is mended: ${what}\n`);
}

/** What the provider does wrong, each in the smallest graph that shows it, and what the dialect webgpu gives instead. */
describe.skipIf(refusal)(`faults of the WebGPU provider${refusal ? ` (${refusal})` : ''}`, () => {
  it('SimplifiedLayerNormalization gives the mean of x for 1/√(mean(x²) + ε)', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', [2, 4]);
    const [, reciprocal] = graph.apply('RmsNorm', [x, graph.input('weight', 'float32', [4])], {
      epsilon: 1e-5,
    });
    const feeds: Feeds = {
      x: { data: Float32Array.of(3, 3, 3, 3, 1, -1, 1, -1), shape: [2, 4] },
      weight: { data: Float32Array.of(1, 1, 1, 1), shape: [4] },
    };
    const right = [1 / 3, 1];
    const [direct] = await runs(reciprocal, feeds, 'onnxruntime');
    if (largestDifference(direct, right) < 1e-4) sayMended("RmsNorm's second output");
    else expect(largestDifference(direct, [3, 0])).toBeLessThan(1e-4);
    const [around] = await runs(reciprocal, feeds, 'webgpu');
    expect(largestDifference(around, right)).toBeLessThan(1e-4);
  });

  it('LayerNormalization takes mean(x²) − mean(x)² for the variance, which cancels where the mean is large', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', [1, 64]);
    const normed = layerNorm(x, graph.input('weight', 'float32', [64]), undefined, 1e-5);
    const data = Float32Array.from({ length: 64 }, (_, i) => 1000 + Math.sin(i * i));
    const mean = data.reduce((sum, value) => sum + value, 0) / 64;
    const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 64;
    const right = Float64Array.from(data, (value) => (value - mean) / Math.sqrt(variance + 1e-5));
    const feeds: Feeds = {
      x: { data, shape: [1, 64] },
      weight: { data: new Float32Array(64).fill(1), shape: [64] },
    };
    const [direct] = await runs(normed, feeds, 'standard');
    if (largestDifference(direct, right) < 1e-3) sayMended('the variance of LayerNormalization');
    const [around] = await runs(normed, feeds, 'webgpu');
    expect(largestDifference(around, right)).toBeLessThan(1e-3);
  });

  it('ScatterElements adds in another order in every run, and so gives other sums', async () => {
    const [rows, updates, width] = [20, 400, 64];
    const graph = createGraph();
    const sums = scatterAddRows(
      graph.input('table', 'float32', [rows, width]),
      graph.input('indices', 'int32', [updates]),
      graph.input('updates', 'float32', [updates, width]),
    );
    // Of very different sizes, so that their order shows.
    const values = (count: number) =>
      Float32Array.from({ length: count }, (_, i) => Math.sin(i * i) * 10 ** ((i % 5) - 2));
    const feeds: Feeds = {
      table: { data: values(rows * width), shape: [rows, width] },
      indices: {
        data: Int32Array.from({ length: updates }, (_, i) => (i * 7 + (i >> 3)) % rows),
        shape: [updates],
      },
      updates: { data: values(updates * width), shape: [updates, width] },
    };
    const right = new Float64Array(feeds['table'].data as Float32Array);
    for (let i = 0; i < updates; i++) {
      const row = (feeds['indices'].data as Int32Array)[i] * width;
      for (let j = 0; j < width; j++)
        right[row + j] += (feeds['updates'].data as Float32Array)[i * width + j];
    }
    const direct = await runs(sums, feeds, 'standard', 10);
    const areSame = direct.every((values) => largestDifference(values, direct[0]) === 0);
    if (areSame) sayMended('the order of the sums of ScatterElements');
    const around = await runs(sums, feeds, 'webgpu', 10);
    for (const values of around) expect(values).toEqual(around[0]);
    for (const values of [direct[0], around[0]]) expect(largestDifference(values, right)).toBeLessThan(0.01);
  });
});
