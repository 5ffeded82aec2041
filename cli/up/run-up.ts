import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../mesh/config/schema.ts';
import { createLog } from '../../mesh/log/log.ts';
import { connectNats } from '../../mesh/nats/connection.ts';
import { startLocalNatsServer } from '../../mesh/nats/local-server.ts';
import { openRunStreams } from '../../mesh/nats/run-streams.ts';
import { newestCheckpoint } from '../../trainer/checkpoint/read-checkpoint.ts';
import { fusedModelDirectory, heldOutLosses } from '../evaluation/held-out-losses.ts';
import type { RunResult } from '../evaluation/loss-report.ts';
import { type Listening, MeshProcesses } from './mesh-processes.ts';
import { ProgressBoard } from './progress-board.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { storeResult } from './stored-result.ts';
import { watchTeacher, watchTrainer } from './watch-run.ts';

interface UpOptions {
  /** Settings of the command line. */
  readonly overrides: readonly string[];
  /** Start a NATS server for this run. */
  readonly ownNats: boolean;
  /** Forget what NATS holds of an earlier run of this name. */
  readonly fresh: boolean;
  readonly display: ProgressDisplay;
  readonly signal: AbortSignal;
}

const drawEveryMilliseconds = 250;

/**
 * Runs the whole mesh as processes of its own until the target is trained, and evaluates it.
 *
 * @returns the result, or undefined when it was stopped before
 */
export async function runUp(
  path: string,
  config: RunConfig,
  options: UpOptions,
): Promise<RunResult | undefined> {
  const { display, signal, ownNats, fresh, overrides } = options;
  const { output } = config.trainer;
  const nats = ownNats ? await startLocalNatsServer({ storeDirectory: join(output, 'nats') }) : undefined;
  const url = nats?.url ?? config.nats.url;
  if (nats) display.note(`nats-server ${url}`);
  const processes = new MeshProcesses(path, config, [...overrides, `nats.url=${url}`]);
  const leaving = new AbortController();
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    await probeNats(url, config.run, fresh);
    const work = trainAndEvaluate(config, processes, display, leaving.signal);
    work.catch(() => undefined);
    const result = await Promise.race([work, processes.failure, stopped]);
    leaving.abort();
    if (result) await storeResult(config, result);
    else display.note('Stopping the processes …');
    await processes.stop();
    if (result) await forgetStreams(url, config.run);
    return result;
  } finally {
    leaving.abort();
    await processes.stop();
    await nats?.stop();
  }
}

async function trainAndEvaluate(
  config: RunConfig,
  processes: MeshProcesses,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<RunResult> {
  const startedAt = performance.now();
  const teachers = await processes.startTeachers();
  signal.throwIfAborted();
  for (const teacher of teachers) display.note(listeningLine(teacher));
  await train(config, processes, { teachers, display, signal });
  signal.throwIfAborted();

  display.note('Trained. Scoring the held-out texts …');
  const reached = {
    ...config,
    teachers: config.teachers.map((teacher, i) => ({ ...teacher, address: teachers[i].grpc })),
  };
  const domains = config.heldOut.length === 0 ? [] : await heldOutLosses(reached, signal);
  return {
    domains,
    tokens: await tokensTrained(config),
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    model: fusedModelDirectory(config),
  };
}

/** Feeds and trains, and shows how it goes, until the trainer is done or the signal comes. */
async function train(
  config: RunConfig,
  processes: MeshProcesses,
  {
    teachers,
    display,
    signal,
  }: { teachers: readonly Listening[]; display: ProgressDisplay; signal: AbortSignal },
): Promise<void> {
  const board = new ProgressBoard(teachers.map(({ name }) => name));
  const draw = setInterval(() => display.show(board.progress()), drawEveryMilliseconds);
  const done = new AbortController();
  const watching = AbortSignal.any([signal, done.signal]);
  watching.addEventListener('abort', () => clearInterval(draw), { once: true });
  try {
    processes.startFeeder((fed) => board.fed(fed));
    const trainer = processes.startTrainer();
    for (const { name, grpc } of teachers) {
      void watchTeacher(grpc, config.run, (status) => board.teacher(name, status), watching);
    }
    trainer.ready.then(
      (listening) => {
        display.note(listeningLine(listening));
        return watchTrainer(listening.grpc, (status) => board.trainer(status), watching);
      },
      () => undefined,
    );
    await trainer.done;
  } finally {
    done.abort();
  }
}

const listeningLine = ({ name, grpc, metricsPort, note }: Listening): string =>
  `${name} ${grpc}, metrics http://127.0.0.1:${metricsPort}/metrics${note ? `\n${note}` : ''}`;

/** Says at once, in one line, when there is no NATS; with `fresh`, removes what it holds of the run. */
async function probeNats(url: string, run: string, fresh: boolean): Promise<void> {
  if (fresh) return forgetStreams(url, run);
  const connection = await connectNats(url, 'fusemesh up');
  await connection.close();
}

async function forgetStreams(url: string, run: string): Promise<void> {
  const connection = await connectNats(url, 'fusemesh up');
  try {
    await openRunStreams(connection, run).remove();
  } finally {
    await connection.close();
  }
}

async function tokensTrained(config: RunConfig): Promise<number> {
  const checkpoints = join(config.trainer.output, 'checkpoints');
  const checkpoint = await newestCheckpoint(checkpoints, createLog('up', { level: 'silent' }));
  if (checkpoint) return checkpoint.state.tokens;
  throw new FuseMeshError('data_loss', `No whole checkpoint in ${checkpoints}: run again with --fresh.`);
}
