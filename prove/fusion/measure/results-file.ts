import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { readJsonLines } from '../../../texts/json-lines.ts';

const resultSchema = z.strictObject({
  key: z.string(),
  /** Of the experiment that it was computed for first. */
  name: z.string(),
  seed: z.number(),
  learningRate: z.number(),
  bitsPerByte: z.record(z.string(), z.number()),
  steps: z.number(),
  skippedSteps: z.number(),
  tokens: z.number(),
  seconds: z.number(),
  weightsSha256: z.string(),
});

/** One line of the file of results. */
export type Result = z.infer<typeof resultSchema>;

/** The results so far, by key; none where there is no such file. */
export async function readResults(path: string): Promise<Map<string, Result>> {
  const results = new Map<string, Result>();
  try {
    for await (const { value } of readJsonLines(path)) {
      const result = resultSchema.parse(value);
      results.set(result.key, result);
    }
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'not_found') throw error;
  }
  return results;
}

export async function appendResult(path: string, result: Result): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await appendFile(path, `${JSON.stringify(result)}\n`);
}
