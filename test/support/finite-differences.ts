import { mul, sumAll } from '../../model/graph/expressions.ts';
import { gradients } from '../../model/graph/gradients.ts';
import type { Value } from '../../model/graph/graph.ts';
import { createGraph } from '../../model/graph/operators.ts';
import type { ElementType } from '../../model/graph/tensor-type.ts';
import { emitModel } from '../../model/onnx/emit.ts';
import { openSession } from '../../model/runtime/session.ts';
import type { HostTensor } from '../../model/runtime/tensor.ts';
import { createRandom } from './random.ts';

/** An input of a function under test: values in [low, high), or given ones. */
export type Sample =
  | { readonly shape: readonly number[]; readonly low?: number; readonly high?: number }
  | {
      readonly shape: readonly number[];
      readonly integers: readonly number[];
      readonly type?: 'int32' | 'int64';
    };

/**
 * Compares the gradient of the backward pass with finite differences, both computed by ONNX Runtime in float32: for
 * Σ c·f(x) with random c, by the five-point rule, for every value of every float input.
 *
 * @returns the largest |difference| / max(1, |gradient|)
 */
export async function largestGradientError(
  f: (...inputs: Value[]) => Value,
  samples: readonly Sample[],
  seed = 1,
): Promise<number> {
  const random = createRandom(seed);
  const graph = createGraph();
  const inputs = samples.map((sample, i) => graph.input(`x${i}`, elementType(sample), sample.shape));
  const output = f(...inputs);
  const coefficients = graph.input('c', 'float32', output.shape);
  const loss = sumAll(mul(output, coefficients));
  const differentiated = inputs.filter((input) => input.elementType === 'float32');
  const computed = gradients(loss, differentiated);
  const session = await openSession(
    emitModel({ loss, ...Object.fromEntries(computed.map((value, i) => [`d${i}`, value])) }),
    { threads: 1 },
  );

  const feeds: Record<string, HostTensor> = {};
  samples.forEach((sample, i) => {
    feeds[`x${i}`] = hostTensor(sample, random);
  });
  feeds['c'] = hostTensor({ shape: output.shape as readonly number[] }, random);
  const at = async () => ((await session.run(feeds))['loss'] as Float32Array)[0];
  const results = await session.run(feeds);

  let largest = 0;
  for (const [i, input] of differentiated.entries()) {
    const x = feeds[input.name].data as Float32Array;
    const gradient = results[`d${i}`] as Float32Array;
    for (let j = 0; j < x.length; j++) {
      const middle = x[j];
      const step = 2 ** -5;
      const values: number[] = [];
      for (const k of [-2, -1, 1, 2]) {
        x[j] = middle + k * step;
        values.push(await at());
      }
      x[j] = middle;
      const expected = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step);
      largest = Math.max(largest, Math.abs(gradient[j] - expected) / Math.max(1, Math.abs(expected)));
    }
  }
  await session.close();
  return largest;
}

export const elementType = (sample: Sample): ElementType =>
  'integers' in sample ? (sample.type ?? 'int32') : 'float32';

export function hostTensor(sample: Sample, random: () => number): HostTensor {
  const { shape } = sample;
  if ('integers' in sample) {
    return sample.type === 'int64'
      ? { shape, data: BigInt64Array.from(sample.integers, BigInt) }
      : { shape, data: Int32Array.from(sample.integers) };
  }
  const { low = -1, high = 1 } = sample;
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: count }, () => low + (high - low) * random()) };
}
