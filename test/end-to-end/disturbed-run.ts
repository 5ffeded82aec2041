import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { checkpointName } from '../../model/checkpoints/checkpoint-names.ts';
import { DisturbedMesh, type MeshOptions } from './disturbed-mesh.ts';
import { isAlive, newestCheckpointStep, type SmallCorpus, writeRunFile } from './small-run.ts';

/** What a run has come to. */
export interface Outcome {
  /** SHA-256 of the fused model's weights. */
  readonly weights: string;
  /** Of the last checkpoint: what was counted. */
  readonly state: { readonly documents: number; readonly step: number };
  readonly seconds: number;
  readonly mesh: DisturbedMesh;
  /** Process ids of what is left of it. */
  readonly orphans: readonly number[];
  /** trainer.output of the run. */
  readonly output: string;
}

/** A run that is going on. */
export interface GoingRun {
  readonly mesh: DisturbedMesh;
  /** Waits until a checkpoint of that step is there. @throws FuseMeshError when the run ends before */
  reaches(step: number): Promise<void>;
}

/**
 * Trains over a corpus with every process by itself, and disturbs it meanwhile.
 *
 * @param disturb returns when it has done so; the run must not end before
 */
export async function disturbedRun(
  corpus: SmallCorpus,
  run: string,
  {
    disturb = async () => {},
    changes,
    ...options
  }: MeshOptions & {
    readonly disturb?: (going: GoingRun) => Promise<void>;
    /** Of the run file. */
    readonly changes?: object;
  } = {},
): Promise<Outcome> {
  const { path, output } = await writeRunFile(corpus, { run, ...(changes && { changes }) });
  const directory = join(corpus.directory, `${run}-nats`);
  const began = performance.now();
  const mesh = await DisturbedMesh.start({ path, run, directory }, options);
  let ended = false;
  const trained = mesh.trainer.done.then(() => {
    ended = true;
  });
  const reaches = async (step: number) => {
    while ((await newestCheckpointStep(output)) < step) {
      if (ended) throw new FuseMeshError('failed_precondition', `The run ended before step ${step}.`);
      await sleep(20);
    }
  };
  try {
    await disturb({ mesh, reaches });
    await trained;
  } finally {
    await mesh.stop();
  }
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const orphans = mesh.parts.flatMap(({ lives }) => lives.map(({ pid }) => pid)).filter(isAlive);
  return { weights: await digestOf(output), state: await lastState(output), seconds, mesh, orphans, output };
}

async function lastState(output: string): Promise<Outcome['state']> {
  const checkpoint = checkpointName(await newestCheckpointStep(output));
  const file = join(output, 'checkpoints', checkpoint, 'trainer-state.json');
  const { state } = JSON.parse(await readFile(file, 'utf8')) as { state: Outcome['state'] & { run: string } };
  const { run: _run, ...counts } = state;
  return counts;
}

async function digestOf(output: string): Promise<string> {
  const weights = await readFile(join(output, 'model', 'model.safetensors'));
  return createHash('sha256').update(weights).digest('hex');
}
