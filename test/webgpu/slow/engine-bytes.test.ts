import { describe, expect, it } from 'vitest';
import { writeRandomLlama } from '../../../bench/random-llama.ts';
import type { EngineOptions } from '../../../engine/engine-options.ts';
import { ModelInTraining } from '../../../engine/model-in-training.ts';
import { microBatches } from '../../../engine/packing/micro-batches.ts';
import type { TrainingBatch } from '../../../engine/training-batch.ts';
import { optionsFor, optionsOnDevice } from '../../support/engine-options.ts';
import { goldenModels } from '../../support/golden.ts';
import { randomBatch } from '../../support/random-batch.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { refusalOfDevice } from '../software-device.ts';

const refusal = await refusalOfDevice();
const blocks = 2;

/** A Llama of two blocks. */
async function llama({ scale = 1 } = {}): Promise<string> {
  const directory = await temporaryDirectory();
  await writeRandomLlama(directory, {
    vocab_size: 50 * scale,
    hidden_size: 16 * scale,
    intermediate_size: 24 * scale,
    num_hidden_layers: blocks,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 600,
  });
  return directory;
}

/** What a step brings to the device and back, and how many tensors it trains. */
async function bytesOf(directory: string, options: EngineOptions, batch: TrainingBatch) {
  const model = await ModelInTraining.open(directory, options);
  const { toDevice, fromDevice } = model.crossed;
  await model.computeGradients(batch);
  await model.optimizer.step(1, 1e-3, await model.optimizer.norm());
  const up = model.crossed.toDevice - toDevice;
  const down = model.crossed.fromDevice - fromDevice;
  await model.close();
  return { up, down, tensors: model.tensors.trained.length };
}

/** What each part of a step may bring to the device: nothing that grows with hidden size, vocabulary or length². */
function bound(batch: TrainingBatch, options: EngineOptions, tensors: number) {
  let up = 0;
  let down = 0;
  for (const { tokens, rows, length } of microBatches(batch.lengths, { ...options, masked: false })) {
    const slots = rows * length;
    // Ids and positions (int64) of tokens, the tokens of slots, and the slots of tokens: once, however many blocks
    // read them.
    up += (4 + 8) * tokens + 4 * slots + 4 * tokens;
    // Where the mask of every row ends, and positions of slots.
    if (options.contextLength <= 512) up += 4 * length + (4 + 4) * slots;
    // Of every pass of a block, where attention is computed in parts: positions of slots (int64), for the processor.
    else up += 8 * slots * (2 * blocks + (options.recompute ? blocks - 1 : 0));
    // Ids and probabilities of label and candidates, two weights and the tail mass.
    up += tokens * (4 * (1 + batch.candidates) + 4 * batch.candidates + 3 * 4);
    // The two losses.
    down += 2 * 4 * tokens;
  }
  // Four numbers of AdamW for each tensor; the gradient's norm, and a number that comes when the step is done.
  return { up: up + 16 * tensors, down: down + 8 };
}

const uneven = randomBatch([20, 3, 11, 1, 7, 9, 2, 20]);
const cases: [string, TrainingBatch, Partial<EngineOptions>][] = [
  ['documents of one length', randomBatch([16, 16]), {}],
  ['one long document', randomBatch([96]), {}],
  ['documents that leave slots empty, in parts', uneven, { rowsAtOnce: 2 }],
  ['blocks that are computed again', uneven, { recompute: true }],
  ['attention in parts', randomBatch([513, 30]), {}],
  ['adapters', uneven, { lora: { rank: 2, alpha: 4, targetModules: 'all-linear' } }],
];

describe.skipIf(refusal)(`a step brings${refusal ? ` (${refusal})` : ''}`, () => {
  it.each(cases)('its tokens to the device, and losses back: %s', async (_, batch, changes) => {
    const options = { ...optionsOnDevice(batch), ...changes };
    const { tensors, ...crossed } = await bytesOf(await llama(), options, batch);
    expect(crossed).toEqual(bound(batch, options, tensors));
  });

  it('as much for a model twice as wide with twice the vocabulary', async () => {
    const options = optionsOnDevice(uneven);
    const small = await bytesOf(await llama(), options, uneven);
    expect(await bytesOf(await llama({ scale: 2 }), options, uneven)).toEqual(small);
  });

  it('no more for other families', async () => {
    const batch = randomBatch([16, 9]);
    const options = optionsOnDevice(batch);
    for (const directory of goldenModels()) {
      const { tensors, ...crossed } = await bytesOf(directory, options, batch);
      const { up, down } = bound(batch, options, tensors);
      expect(crossed.up, directory).toBeLessThanOrEqual(up);
      expect(crossed.down, directory).toBe(down);
    }
  });
});

it('a step brings nothing anywhere on the processor', async () => {
  const { up, down } = await bytesOf(await llama(), optionsFor(uneven), uneven);
  expect([up, down]).toEqual([0, 0]);
});
