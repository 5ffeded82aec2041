import { uniformNumbers } from '../../numbers/random.ts';
import type { ModelWeights } from '../families/architecture.ts';
import type { LinearLayer } from '../families/weight-shapes.ts';
import { add, linear, matmul } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import type { LoraSettings } from './lora-settings.ts';

/** A [rank, in] and B [out, rank] of a module, by the names that peft's files have for them. */
export const adapterNames = (module: string): { readonly a: string; readonly b: string } => ({
  a: `base_model.model.${module}.lora_A.weight`,
  b: `base_model.model.${module}.lora_B.weight`,
});

/** Shape of every tensor of the adapters of some layers. */
export function adapterShapes(
  layers: ReadonlyMap<string, LinearLayer>,
  rank: number,
): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [module, { inputSize, outputSize }] of layers) {
    const { a, b } = adapterNames(module);
    shapes.set(a, [rank, inputSize]);
    shapes.set(b, [outputSize, rank]);
  }
  return shapes;
}

/**
 * As peft begins: A uniform within ±1/√in (Kaiming's rule with slope √5), B zero, so that the model is
 * unchanged.
 */
export function initialAdapters(
  layers: ReadonlyMap<string, LinearLayer>,
  rank: number,
): Map<string, Float32Array<ArrayBuffer>> {
  const uniform = uniformNumbers(0);
  const values = new Map<string, Float32Array<ArrayBuffer>>();
  for (const [module, { inputSize, outputSize }] of layers) {
    const { a, b } = adapterNames(module);
    const bound = 1 / Math.sqrt(inputSize);
    values.set(
      a,
      Float32Array.from({ length: rank * inputSize }, () => bound * (2 * uniform() - 1)),
    );
    values.set(b, new Float32Array(outputSize * rank));
  }
  return values;
}

/**
 * The output of adapted layers: y + alpha / rank · (x·Aᵀ)·Bᵀ.
 *
 * @param tensor an adapter's tensor in the graph by its name
 */
export function adaptation(
  layers: ReadonlyMap<string, LinearLayer>,
  { rank, alpha }: LoraSettings,
  tensor: (name: string) => Value,
): NonNullable<ModelWeights['adapt']> {
  return (module, x, y) => {
    if (!layers.has(module)) return y;
    const { a, b } = adapterNames(module);
    return add(y, matmul(linear(x, tensor(a)), tensor(b), { transposeB: true, alpha: alpha / rank }));
  };
}
