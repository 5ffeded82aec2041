import { join } from 'node:path';
import { openSafetensors } from '../../model/safetensors/safetensors-file.ts';

/** Both of PyTorch's ways to compute AdamW; test/oracle/adamw.py has what the files hold. */
export const goldenAdamW = ['single-tensor', 'foreach'] as const;

/** Twenty steps of AdamW at learning rate 0.01, and what PyTorch made of some tensors in them. */
export async function readGoldenAdamW(way: (typeof goldenAdamW)[number]) {
  const file = await openSafetensors(join(import.meta.dirname, '..', 'golden-adamw', `${way}.safetensors`));
  const norms = await file.readFloat32('norms');
  const names = [...file.tensors.keys()].flatMap((key) => key.match(/^start:(.*)/)?.[1] ?? []);
  /** One array a step. */
  const ofSteps = async (key: string) => {
    const values = await file.readFloat32(key);
    const length = values.length / norms.length;
    return Array.from(norms, (_, step) => values.slice(step * length, (step + 1) * length));
  };
  const tensors = await Promise.all(
    names.map(async (name) => ({
      name,
      shape: file.tensors.get(`start:${name}`)!.shape,
      start: await file.readFloat32(`start:${name}`),
      gradients: await ofSteps(`gradients:${name}`),
      right: {
        weights: await ofSteps(`weights:${name}`),
        firstMoment: await ofSteps(`first_moments:${name}`),
        secondMoment: await ofSteps(`second_moments:${name}`),
      },
    })),
  );
  await file.close();
  return { norms, tensors };
}

/** max |a − b| / max(1, |b|); NaN where either has one. */
export function relativeError(values: Float32Array, right: Float32Array): number {
  let largest = 0;
  for (const [i, value] of values.entries()) {
    const error = Math.abs(value - right[i]) / Math.max(1, Math.abs(right[i]));
    if (!(error <= largest)) largest = error;
  }
  return largest;
}
