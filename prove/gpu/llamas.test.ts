import { expect, it } from 'vitest';
import { openSafetensors } from '../../model/safetensors/safetensors-file.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import {
  fusedBatch,
  largeLlamas,
  randomTexts,
  smallLlamas,
  trainingOperations,
  writeLlama,
} from './llamas.ts';

it('writes a model of random weights, no two tensors alike', async () => {
  const written = await writeLlama(smallLlamas[0], await temporaryDirectory());
  const file = await openSafetensors(`${written.directory}/model.safetensors`);
  const read = async (name: string) => [...(await file.readFloat32(name)).subarray(0, 64)];
  const query = await read('model.layers.0.self_attn.q_proj.weight');
  expect(new Set(query).size).toBeGreaterThan(50);
  expect(await read('model.layers.1.self_attn.q_proj.weight')).not.toEqual(query);
  expect(new Set(await read('model.norm.weight'))).toEqual(new Set([1]));
  // Two tables, and of both layers attention, the feed-forward part and two norms.
  const layer = 64 * (64 + 32 + 32 + 64) + 3 * 64 * 128 + 2 * 64;
  expect(written.parameters).toBe(2 * 256 * 64 + 2 * layer + 64);
  expect(trainingOperations(written)).toBe(6 * (256 * 64 + 2 * layer + 64) + 12 * 2 * 64 * 64);
  await file.close();
});

it('has batches in which every token but the last of a document learns from another', () => {
  const [llama] = smallLlamas;
  const batch = fusedBatch(randomTexts(llama), 10, llama.sizes);
  expect(batch.inputIds.length).toBe(llama.documents * llama.length);
  expect(batch.labels.filter((label) => label < 0).length).toBe(llama.documents);
  expect(new Set(batch.fusedIds.subarray(0, 10)).size).toBe(10);
  expect(Math.max(...batch.fusedIds)).toBeLessThan(llama.sizes.vocab_size);
});

it('has texts that fit the contexts', () => {
  for (const { length, sizes } of [...smallLlamas, ...largeLlamas])
    expect(length).toBeLessThanOrEqual(sizes.max_position_embeddings);
});
