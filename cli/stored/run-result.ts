import { createHash } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onDisk } from '../../errors/on-disk.ts';
import type { RunConfig } from '../../process/config/schema.ts';

/** Held-out loss of one domain in bits per byte. */
const domainLossSchema = z.strictObject({
  name: z.string(),
  /** The target as it was. */
  before: z.number(),
  /** The target as it is; null where none has been trained yet. */
  after: z.number().nullable(),
  /** By the name of the teacher. */
  teachers: z.record(z.string(), z.number()),
});
export type DomainLoss = z.infer<typeof domainLossSchema>;

/** The result of a run, as `fusemesh up --json` prints it. */
export const runResultSchema = z.strictObject({
  domains: z.array(domainLossSchema),
  /** Tokens that the target was trained on. */
  tokens: z.number(),
  /** Wall time of the command that finished the run. */
  seconds: z.number(),
  /** Directory of the fused model. */
  model: z.string(),
});
export type RunResult = z.infer<typeof runResultSchema>;

const storedSchema = z.strictObject({ settings: z.string(), result: runResultSchema });

const resultFile = (config: RunConfig): string => join(config.trainer.output, 'result.json');

/**
 * The result of a run that is finished; undefined where there is none.
 *
 * @throws FuseMeshError already_exists when the run was finished with other settings
 */
export async function readStoredResult(config: RunConfig): Promise<RunResult | undefined> {
  const stored = await readStored(config);
  if (stored && stored.settings !== settingsDigest(config)) {
    throw new FuseMeshError(
      'already_exists',
      `${config.trainer.output} holds a finished run with other settings: use --fresh to begin again, or another trainer.output.`,
    );
  }
  return stored?.result;
}

/** The result of a run that is finished, whatever its settings were; undefined where there is none. */
export async function readAnyResult(config: RunConfig): Promise<RunResult | undefined> {
  return (await readStored(config))?.result;
}

async function readStored(config: RunConfig): Promise<z.infer<typeof storedSchema> | undefined> {
  try {
    return storedSchema.parse(JSON.parse(await readFile(resultFile(config), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Keeps the result of a finished run for the next time it is asked for. */
export async function storeResult(config: RunConfig, result: RunResult): Promise<void> {
  const path = resultFile(config);
  const stored = { settings: settingsDigest(config), result } satisfies z.infer<typeof storedSchema>;
  await onDisk(path, async () => {
    await writeFile(`${path}.part`, `${JSON.stringify(stored, undefined, 2)}\n`);
    await rename(`${path}.part`, path);
  });
}

/** Removes what earlier runs left in the output directory, and nothing else. */
export async function removeOutput(config: RunConfig): Promise<void> {
  const written = [
    'checkpoints',
    'adapter',
    'model',
    'logs',
    'nats',
    'history.jsonl',
    'joined.jsonl',
    'heard',
    'rollouts.jsonl',
    'prompts',
    'tokenizers',
    'sources',
    'result.json',
    'report.html',
  ];
  await Promise.all(
    written.map((name) => rm(join(config.trainer.output, name), { recursive: true, force: true })),
  );
}

/** Digest of what changes the outcome of a run: not where its processes listen, nor how fast they are. */
function settingsDigest({
  run,
  contextLength,
  corpus,
  onPolicy,
  heldOut,
  topK,
  topP,
  teachers,
  target,
  fusion,
  trainer,
}: RunConfig): string {
  const { address: _address, metricsPort: _port, output: _output, threads: _threads, ...training } = trainer;
  const settings = {
    run,
    contextLength,
    corpus,
    onPolicy,
    heldOut,
    topK,
    topP,
    teachers: teachers.map(({ name, model }) => ({ name, model })),
    target: { model: target.model, lora: target.lora, source: target.source?.name },
    fusion,
    training,
  };
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex');
}
