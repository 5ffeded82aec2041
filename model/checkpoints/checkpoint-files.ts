import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { adapterWeightsFile } from '../lora/read-adapter.ts';
import { stateFile, weightsFile } from './checkpoint-names.ts';
import type { FileDigest } from './file-digest.ts';

/** The file of what was trained: the adapter where there is one. */
export async function trainedFile(directory: string): Promise<string> {
  const names = await readdir(directory);
  return names.includes(adapterWeightsFile) ? adapterWeightsFile : weightsFile;
}

/** What trainer-state.json says of the files beside it. Where the training stands is the trainer's affair. */
const schema = z.object({
  files: z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() })),
});

/** What a checkpoint says of itself. */
export interface CheckpointFiles {
  /** Tells it from any other, of the same step too. */
  readonly id: string;
  /** By name, what each other file must be; none where trainer-state.json is damaged. */
  readonly files: Readonly<Record<string, FileDigest>>;
}

/** @throws ENOENT where there is none, as of a checkpoint that was removed */
export async function readCheckpointFiles(directory: string): Promise<CheckpointFiles> {
  const text = await readFile(join(directory, stateFile), 'utf8');
  const id = createHash('sha256').update(text).digest('hex');
  try {
    return { id, files: schema.parse(JSON.parse(text)).files };
  } catch {
    return { id, files: {} };
  }
}
