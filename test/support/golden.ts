import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineSnapshot } from '../../engine/engine-snapshot.ts';
import type { TrainingBatch } from '../../engine/training-batch.ts';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { adapterShapes } from '../../model/lora/adapters.ts';
import { readAdapterConfig, readAdapters } from '../../model/lora/read-adapter.ts';
import { targetLayers } from '../../model/lora/target-layers.ts';
import { openSafetensors, type SafetensorsFile } from '../../model/safetensors/safetensors-file.ts';

/** FUSEMESH_GOLDEN names a folder of models with other random weights (test/oracle/families.py --seed). */
const golden = process.env['FUSEMESH_GOLDEN'] ?? join(import.meta.dirname, '..', 'golden');

/** Directory of a golden model; test/oracle has the scripts that make them. */
export const goldenModel = (name: string): string => join(golden, name);

const hasExperts = (name: string): boolean => /^(mixtral|qwen3_moe)-/.test(name);

/** Those that can be trained. */
export const goldenModels = (): string[] =>
  readdirSync(golden)
    .filter((name) => !hasExperts(name))
    .map(goldenModel);

/** Those that can only teach. */
export const goldenTeachers = (): string[] => readdirSync(golden).filter(hasExperts).map(goldenModel);

const adapters = join(import.meta.dirname, '..', 'golden-lora');

/** Directories of golden adapters; their base models are named relative to them. */
export const goldenAdapters = (): string[] => readdirSync(adapters).map((name) => join(adapters, name));

/** An adapter of peft's with its model. */
export async function readGoldenAdapter(directory: string) {
  const lora = await readAdapterConfig(directory);
  const base = join(directory, lora.baseModel!);
  const architecture = await readArchitecture(base);
  const shapes = adapterShapes(targetLayers(architecture, lora.targetModules), lora.rank);
  const adapters = await readAdapters(directory, shapes);
  /** As an engine restores it. */
  const untrained: EngineSnapshot = {
    step: 0,
    tensors: [...adapters].map(([name, weights]) => ({
      name,
      shape: shapes.get(name)!,
      weights,
      firstMoment: new Float32Array(weights.length),
      secondMoment: new Float32Array(weights.length),
    })),
  };
  return { lora, base, shapes, adapters, untrained };
}

/** What PyTorch computed for a golden model. */
export const openExpected = (directory: string): Promise<SafetensorsFile> =>
  openSafetensors(join(directory, 'expected.safetensors'));

export async function readInt32(file: SafetensorsFile, name: string): Promise<Int32Array<ArrayBuffer>> {
  return new Int32Array((await file.read(name)).buffer);
}

/** The batch on which PyTorch trained: rows of one length, with padding that has no label. */
export async function readBatch(expected: SafetensorsFile): Promise<TrainingBatch> {
  const [rows, length, candidates] = expected.tensors.get('fused_ids')!.shape;
  return {
    lengths: Array(rows).fill(length),
    candidates,
    inputIds: await readInt32(expected, 'input_ids'),
    labels: await readInt32(expected, 'labels'),
    fusedIds: await readInt32(expected, 'fused_ids'),
    fusedProbabilities: await expected.readFloat32('fused_probabilities'),
    fusedTail: new Float32Array(rows * length),
  };
}

/** max |a − b|; NaN where either holds a NaN. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Number.NaN;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
