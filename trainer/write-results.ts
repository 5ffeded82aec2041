import { join } from 'node:path';
import { weightsByName } from '../engine/engine-snapshot.ts';
import { writeModel } from '../model/export/write-model.ts';
import { mergedWeights } from '../model/lora/merged-weights.ts';
import type { AdapterConfig } from '../model/lora/read-adapter.ts';
import { writeAdapter } from '../model/lora/write-adapter.ts';
import { readSnapshot, type SavedCheckpoint } from './checkpoint/read-checkpoint.ts';

/**
 * Writes what a finished run has made: the fused model, whole, and the adapter alone where one was trained.
 *
 * @param target Hugging Face directory of the model that was taught
 * @returns directory of the fused model
 */
export async function writeResults(
  output: string,
  target: string,
  adapter: AdapterConfig | undefined,
  checkpoint: SavedCheckpoint,
): Promise<string> {
  const { tensors } = await readSnapshot(checkpoint);
  const trained = weightsByName(tensors);
  if (adapter) await writeAdapter(join(output, 'adapter'), adapter, tensors);
  const directory = join(output, 'model');
  await writeModel(directory, target, adapter ? await mergedWeights(target, adapter, trained) : trained);
  return directory;
}
