import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { replaceDurably } from '../../model/export/durable-files.ts';

const count = z.number().int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What is known of a source's model, once it has answered. */
const modelSchema = z.strictObject({
  /** SHA-256 of its tokenizer.json, which is kept under this name. */
  tokenizerSha256: sha256,
  /** Of its model: every candidate id is below it. */
  vocabularySize: z.number().int().min(1),
  /** SHA-256 over parts of the model, as its card has it; null where only its tokenizer is remembered. */
  modelFingerprint: z.string().nullable(),
  /** How it reads conversations. */
  chatFormat: z.strictObject({
    template: z.string(),
    specialTokens: z.record(z.string(), z.string()).readonly(),
  }),
});

const factsSchema = z.strictObject({
  /** SHA-256 over the documents, as in the corpus's manifest. */
  corpusSha256: sha256,
  /** How many the corpus has. */
  documents: z.number().int().min(1),
  /** Bytes of their texts. */
  textBytes: count,
  contextLength: z.number().int().min(1),
  /** The most candidates that are kept for a token. */
  topK: z.number().int().min(1),
  /** The share of their mass that is; absent where all of them are. */
  topP: z.number().gt(0).max(1).optional(),
  /** By which the documents were put into their order. */
  seed: count,
});

/** What a recording is of. */
export type RecordingFacts = z.infer<typeof factsSchema>;

export type RecordedModel = z.infer<typeof modelSchema>;

const recordSchema = z.strictObject({
  version: z.literal(1),
  facts: factsSchema,
  sources: z.array(z.strictObject({ name: z.string(), model: modelSchema.nullable() })).min(1),
  /** Documents that are on disk, with all that the sources said about them: 0 … recorded − 1. */
  recorded: count,
  /** By file: SHA-256 of its index, as far as `recorded` goes. */
  indexes: z.record(z.string(), sha256),
});

/** What recording.json holds: written last, it vouches for the other files. */
export type RecordingRecord = z.infer<typeof recordSchema>;

const recordFile = 'recording.json';

const digest = (record: unknown): string => createHash('sha256').update(JSON.stringify(record)).digest('hex');

/** Returns when it is on disk. */
export async function writeRecord(directory: string, record: RecordingRecord): Promise<void> {
  const text = `${JSON.stringify({ record, sha256: digest(record) }, null, 2)}\n`;
  await replaceDurably(join(directory, recordFile), text);
}

/**
 * What a directory holds of a recording; undefined where it holds none.
 *
 * @throws FuseMeshError data_loss where it is damaged
 */
export async function readRecord(directory: string): Promise<RecordingRecord | undefined> {
  const path = join(directory, recordFile);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { record, sha256 } = parsed(text);
  if (record === undefined || digest(record) !== sha256) {
    throw new FuseMeshError('data_loss', `${path} is not what was written: record the corpus again.`);
  }
  const result = recordSchema.safeParse(record);
  if (result.success) return result.data;
  throw new FuseMeshError(
    'failed_precondition',
    `${path} is of another version of FuseMesh: record the corpus again.`,
  );
}

function parsed(text: string): { readonly record?: unknown; readonly sha256?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
