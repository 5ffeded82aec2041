import { createHash } from 'node:crypto';
import { z } from 'zod';
import { stateFile } from '../../model/checkpoints/checkpoint-names.ts';
import type { FileDigest } from '../../model/checkpoints/file-digest.ts';
import { type TrainingState, trainingStateSchema } from './training-state.ts';

/** What a checkpoint's trainer-state.json holds: written last, it vouches for the other files and for itself. */
export interface CheckpointRecord {
  readonly state: TrainingState;
  /** By name, each other file of the checkpoint. */
  readonly files: Readonly<Record<string, FileDigest>>;
}

const schema = z.strictObject({
  state: trainingStateSchema,
  files: z.record(z.string(), z.strictObject({ bytes: z.number().int().min(0), sha256: z.string() })),
});

/** The record as text. Its last entry, `sha256`, is that of the others as JSON without spaces. */
export function formatRecord(record: CheckpointRecord): string {
  const sha256 = createHash('sha256').update(JSON.stringify(record)).digest('hex');
  return `${JSON.stringify({ ...record, sha256 }, null, 2)}\n`;
}

/**
 * Reads what {@link formatRecord} wrote. The text must be the same to the byte as the one that its content
 * gives again, so a change anywhere in it is found, in the hash and between the values too.
 *
 * @throws Error in one line, when it is anything else
 */
export function parseRecord(text: string): CheckpointRecord {
  const { sha256: _, ...content } = parseObject(text);
  if (formatRecord(content as unknown as CheckpointRecord) !== text) {
    throw new Error(`${stateFile} is not what was written`);
  }
  const { success, data } = schema.safeParse(content);
  if (!success) throw new Error(`${stateFile} is of another version of FuseMesh`);
  return data;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${stateFile} is no JSON`);
  }
  return Object(value);
}
