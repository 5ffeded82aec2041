import type { Architecture } from '../../../model/families/architecture.ts';
import type { TensorToWrite } from '../../../model/safetensors/write-safetensors.ts';
import { toFloat16 } from '../../../numbers/float16.ts';
import { uniformNumbers } from '../../../numbers/random.ts';
import { initializerRange } from './size.ts';

/** Initial weights of a model, in float16, wholly determined by the seed. */
export function randomWeights({ weights }: Architecture, seed: number): TensorToWrite[] {
  const random = normalNumbers(seed, initializerRange);
  return [...weights].map(([name, shape]) => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    // Norms begin as the identity, biases at 0.
    const begin = name.endsWith('.bias') ? () => 0 : shape.length === 1 ? () => 1 : random;
    for (let i = 0; i < values.length; i++) values[i] = begin();
    return { name, dtype: 'F16', shape, data: new Uint8Array(toFloat16(values).buffer) };
  });
}

/** Numbers of a normal distribution of mean 0 (Box and Muller). */
export function normalNumbers(seed: number, standardDeviation: number): () => number {
  const uniform = uniformNumbers(seed);
  return () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return standardDeviation * radius * Math.cos(2 * Math.PI * uniform());
  };
}
