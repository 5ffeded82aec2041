import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineSnapshot, TensorSnapshot } from '../../engine/engine-snapshot.ts';
import { onDisk } from '../../errors/on-disk.ts';
import {
  checkpointName,
  checkpointNames,
  checkpointsToRemove,
  firstMomentOf,
  optimizerFile,
  secondMomentOf,
  stateFile,
  weightsFile,
} from '../../model/checkpoints/checkpoint-names.ts';
import { digestFiles } from '../../model/checkpoints/file-digest.ts';
import { copyCompanionFiles } from '../../model/export/companion-files.ts';
import { publishDirectory, writeDurably } from '../../model/export/durable-files.ts';
import type { AdapterConfig } from '../../model/lora/read-adapter.ts';
import { writeAdapterFiles } from '../../model/lora/write-adapter.ts';
import { type TensorToWrite, writeSafetensors } from '../../model/safetensors/write-safetensors.ts';
import { formatRecord } from './checkpoint-record.ts';
import type { TrainingState } from './training-state.ts';

const unfinishedSuffix = '.unfinished';

/** Where checkpoints go, what is in them beside tensors, and how many are kept. */
export interface CheckpointOptions {
  /** Directory of all checkpoints. */
  readonly directory: string;
  /** Hugging Face directory whose configuration and tokenizer they carry. */
  readonly model: string;
  /** What the trained tensors are adapters of; undefined where they are the model's weights. */
  readonly adapter?: AdapterConfig | undefined;
  /** How many of the last to keep; the best is kept beside them. */
  readonly keep: number;
}

/**
 * Writes a checkpoint: a Hugging Face directory, or an adapter as peft has it, with the optimizer's state
 * beside it. It appears under its name only when all of it is on disk; then checkpoints older than the last
 * `keep` go, but for the best.
 *
 * @returns its directory
 */
export async function writeCheckpoint(
  options: CheckpointOptions,
  state: TrainingState,
  snapshot: EngineSnapshot,
): Promise<string> {
  const name = checkpointName(state.step);
  const directory = join(options.directory, name);
  const unfinished = join(options.directory, `${name}${unfinishedSuffix}`);
  await onDisk(`the checkpoint ${directory}`, async () => {
    await mkdir(options.directory, { recursive: true });
    await removeUnfinished(options.directory);
    await mkdir(unfinished);
    if (options.adapter) await writeAdapterFiles(unfinished, options.adapter, snapshot.tensors);
    else {
      await copyCompanionFiles(options.model, unfinished);
      await writeSafetensors(join(unfinished, weightsFile), snapshot.tensors.map(weights));
    }
    await writeSafetensors(join(unfinished, optimizerFile), snapshot.tensors.flatMap(moments));
    const record = { state, files: await digestFiles(unfinished) };
    await writeDurably(join(unfinished, stateFile), formatRecord(record));
    await publishDirectory(unfinished, directory);
    const names = await checkpointNames(options.directory);
    for (const old of checkpointsToRemove(names, state.step, options.keep, state.best?.step)) {
      await rm(join(options.directory, old), { recursive: true, force: true });
    }
  });
  return directory;
}

/** What a trainer that was killed while it wrote has left. */
async function removeUnfinished(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.endsWith(unfinishedSuffix)) await rm(join(directory, name), { recursive: true });
  }
}

function weights({ name, shape, weights }: TensorSnapshot): TensorToWrite {
  return { name, dtype: 'F32', shape, data: bytesOf(weights) };
}

function moments({ name, shape, firstMoment, secondMoment }: TensorSnapshot): TensorToWrite[] {
  return [
    { name: firstMomentOf(name), dtype: 'F32', shape, data: bytesOf(firstMoment) },
    { name: secondMomentOf(name), dtype: 'F32', shape, data: bytesOf(secondMoment) },
  ];
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
