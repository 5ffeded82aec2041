import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineSnapshot } from '../../engine/engine-snapshot.ts';
import { readAdapterConfig } from '../../model/lora/read-adapter.ts';
import { writeSafetensors } from '../../model/safetensors/write-safetensors.ts';
import { createLog } from '../../process/log/log.ts';
import { newestCheckpoint, readSnapshot } from './read-checkpoint.ts';
import { initialState, type TrainingState } from './training-state.ts';
import { type CheckpointOptions, writeCheckpoint } from './write-checkpoint.ts';

const log = createLog('test', { level: 'silent' });
let root: string;
let options: CheckpointOptions;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  const model = join(root, 'target');
  await mkdir(model);
  await writeFile(join(model, 'config.json'), '{"model_type": "llama"}');
  await writeFile(join(model, 'tokenizer.json'), '{}');
  await writeSafetensors(join(model, 'model.safetensors'), [
    { name: 'head', dtype: 'BF16', shape: [2, 2], data: new Uint8Array(8) },
    { name: 'norm', dtype: 'F16', shape: [2], data: new Uint8Array(4) },
  ]);
  options = { directory: join(root, 'output', 'checkpoints'), model, keep: 2 };
});
afterEach(() => rm(root, { recursive: true }));

function stateAt(step: number): TrainingState {
  return {
    ...initialState('demo', 'ab'),
    step,
    documents: 8 * step,
    tokens: 900 * step,
    documentsChosen: { a: step },
  };
}

/** Values that differ by tensor and step, those that a careless copy would lose among them. */
function snapshotAt(step: number): EngineSnapshot {
  const values = (n: number, seed: number) =>
    Float32Array.from({ length: n }, (_, i) => [-0, 1e-42, 3.3e38, 0.1 * step + seed][i]);
  return {
    step,
    tensors: [
      {
        name: 'head',
        shape: [2, 2],
        weights: values(4, 1),
        firstMoment: values(4, 2),
        secondMoment: values(4, 3),
      },
      {
        name: 'norm',
        shape: [2],
        weights: values(2, 4),
        firstMoment: values(2, 5),
        secondMoment: values(2, 6),
      },
    ],
  };
}

const bits = (values: Float32Array) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
const allBits = ({ step, tensors }: EngineSnapshot) => ({
  step,
  tensors: tensors.map((tensor) => ({
    ...tensor,
    weights: bits(tensor.weights),
    firstMoment: bits(tensor.firstMoment),
    secondMoment: bits(tensor.secondMoment),
  })),
});

describe('checkpoints', () => {
  it('come back bit for bit, in a directory that is also a model', async () => {
    const directory = await writeCheckpoint(options, stateAt(50), snapshotAt(50));
    expect(directory).toBe(join(options.directory, 'step-000050'));
    expect((await readdir(directory)).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'optimizer.safetensors',
      'tokenizer.json',
      'trainer-state.json',
    ]);
    const saved = await newestCheckpoint(options.directory, log);
    expect(saved).toEqual({ directory, state: stateAt(50) });
    expect(allBits(await readSnapshot(saved!))).toEqual(allBits(snapshotAt(50)));
  });

  it('of an adapter are an adapter as peft has it', async () => {
    const adapter = { rank: 2, alpha: 4, targetModules: ['q_proj'], baseModel: 'base', transposed: false };
    const directory = await writeCheckpoint({ ...options, adapter }, stateAt(2), snapshotAt(2));
    expect((await readdir(directory)).sort()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
      'optimizer.safetensors',
      'trainer-state.json',
    ]);
    expect(await readAdapterConfig(directory)).toEqual(adapter);
    const saved = await newestCheckpoint(options.directory, log);
    expect(allBits(await readSnapshot(saved!))).toEqual(allBits(snapshotAt(2)));
  });

  it('keep the last ones only, by step and not by name', async () => {
    for (const step of [1, 2, 999_999, 1_000_000])
      await writeCheckpoint(options, stateAt(step), snapshotAt(step));
    expect((await readdir(options.directory)).sort()).toEqual(['step-1000000', 'step-999999']);
    expect((await newestCheckpoint(options.directory, log))?.state.step).toBe(1_000_000);
  });

  it('keep the best beside the last ones', async () => {
    for (const step of [1, 2, 3, 4, 5]) {
      const best = { step: Math.min(step, 2), bitsPerByte: 1.5 };
      await writeCheckpoint(options, { ...stateAt(step), best }, snapshotAt(step));
    }
    expect((await readdir(options.directory)).sort()).toEqual(['step-000002', 'step-000004', 'step-000005']);
    const best = { step: 6, bitsPerByte: 1.4 };
    await writeCheckpoint(options, { ...stateAt(6), best }, snapshotAt(6));
    expect((await readdir(options.directory)).sort()).toEqual(['step-000005', 'step-000006']);
  });

  it('give back the steps that the optimizer took, without those that were skipped', async () => {
    await writeCheckpoint(options, { ...stateAt(9), skippedSteps: 2 }, snapshotAt(7));
    const saved = await newestCheckpoint(options.directory, log);
    expect(allBits(await readSnapshot(saved!))).toEqual(allBits(snapshotAt(7)));
  });

  it('may be written again at the same step', async () => {
    await writeCheckpoint(options, stateAt(3), snapshotAt(3));
    await writeCheckpoint(options, { ...stateAt(3), tokens: 1 }, snapshotAt(3));
    expect((await newestCheckpoint(options.directory, log))?.state.tokens).toBe(1);
  });

  it('are passed over where half of one was written', async () => {
    const whole = await writeCheckpoint(options, stateAt(1), snapshotAt(1));
    const killedWhileWriting = join(options.directory, 'step-000002.unfinished');
    await cp(whole, killedWhileWriting, { recursive: true });
    expect((await newestCheckpoint(options.directory, log))?.state.step).toBe(1);
    await writeCheckpoint(options, stateAt(1), snapshotAt(1));
    expect(await readdir(options.directory)).toEqual(['step-000001']);

    for (const damage of [
      (directory: string) => rm(join(directory, 'trainer-state.json')),
      (directory: string) => truncate(join(directory, 'trainer-state.json'), 20),
      (directory: string) => truncate(join(directory, 'model.safetensors'), 100),
      (directory: string) => appendFile(join(directory, 'optimizer.safetensors'), 'x'),
      (directory: string) => rm(join(directory, 'optimizer.safetensors')),
    ]) {
      const damaged = await writeCheckpoint(options, stateAt(2), snapshotAt(2));
      await damage(damaged);
      expect((await newestCheckpoint(options.directory, log))?.directory).toBe(whole);
    }
    await writeCheckpoint(options, stateAt(2), snapshotAt(2));
    expect((await newestCheckpoint(options.directory, log))?.state.step).toBe(2);
  });

  it('are passed over, and named in the log, where one bit of any file has flipped', async () => {
    const whole = await writeCheckpoint(options, stateAt(1), snapshotAt(1));
    const other = await writeCheckpoint(options, stateAt(2), snapshotAt(2));
    const lines: string[] = [];
    const listening = { warn: (_fields: object, line?: string) => void lines.push(line!) };
    for (const name of await readdir(other)) {
      const path = join(other, name);
      const bytes = await readFile(path);
      for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
        const flipped = Buffer.from(bytes);
        flipped[at] ^= 1 << (at % 8);
        await writeFile(path, flipped);
        expect((await newestCheckpoint(options.directory, listening))?.directory, name).toBe(whole);
        expect(lines.at(-1)).toContain(`Checkpoint ${other} is damaged and passed over: ${name}`);
      }
      await writeFile(path, bytes);
    }
    expect((await newestCheckpoint(options.directory, log))?.directory).toBe(other);
  });

  it('never give way to later ones that are damaged', async () => {
    for (const step of [2, 4, 6]) await writeCheckpoint(options, stateAt(step), snapshotAt(step));
    for (const name of ['step-000004', 'step-000006']) {
      await truncate(join(options.directory, name, 'model.safetensors'), 100);
    }
    await writeCheckpoint({ ...options, keep: 1 }, stateAt(3), snapshotAt(3));
    expect(await readdir(options.directory)).toEqual(['step-000003']);
  });

  it('are none where none was written', async () => {
    expect(await newestCheckpoint(options.directory, log)).toBeUndefined();
  });

  it('say in one line when the disk refuses', async () => {
    await writeFile(join(root, 'output'), 'a file in the way');
    await expect(writeCheckpoint(options, stateAt(1), snapshotAt(1))).rejects.toThrow(
      /^Cannot write the checkpoint /,
    );
  });
});
