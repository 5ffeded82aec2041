import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { recordingOf } from '../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { unlessAborted } from '../../process/lifecycle/unless-aborted.ts';
import { createLog } from '../../process/log/log.ts';
import { newestCheckpoint } from '../../trainer/checkpoint/read-checkpoint.ts';
import { fusedModelDirectory } from '../../trainer/fused-model.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { heldOutLosses, readHeldOut } from '../evaluation/held-out-losses.ts';
import { tooLargeFor } from '../nats/run-sizes.ts';
import { followTrainer } from '../reach/follow-trainer.ts';
import { type KeptProcesses, keepProcesses, type RunningProcess } from '../reach/processes-file.ts';
import { httpScheme, reachableAddress } from '../reach/reachable.ts';
import { type RunResult, storeResult } from '../stored/run-result.ts';
import type { Display } from '../view/display.ts';
import { RunBoard } from '../view/run-board.ts';
import { startOwnNats } from './own-nats.ts';
import { type Listening, RunProcesses, rolloutName } from './run-processes.ts';

interface UpOptions {
  /** Settings of the command line. */
  readonly overrides: readonly string[];
  /** Start a NATS server for this run. */
  readonly ownNats: boolean;
  /** Forget what NATS holds of an earlier run of this name. */
  readonly fresh: boolean;
  readonly display: Display;
  readonly signal: AbortSignal;
}

const drawEveryMilliseconds = 250;

/**
 * Runs every process of a run until the target is trained, and evaluates it.
 *
 * @returns the result, or undefined when it was stopped before
 */
export async function runUp(
  path: string,
  given: RunConfig,
  options: UpOptions,
): Promise<RunResult | undefined> {
  const { display, signal, ownNats, fresh, overrides } = options;
  const { output } = given.trainer;
  const nats = ownNats ? await startOwnNats(given, (line) => display.note(line)) : undefined;
  const config = nats ? { ...given, nats: nats.settings } : given;
  if (nats) display.note(`nats-server ${nats.settings.url}`);
  const processes = new RunProcesses(path, config, [...overrides, ...(nats?.overrides ?? [])]);
  const { url, tokenFile } = config.nats;
  const kept = await keepProcesses(output, nats && { url, tokenFile });
  const leaving = new AbortController();
  try {
    const isRecorded = recordingOf(config) !== undefined;
    if (!isRecorded) await probeNats(config, fresh, (line) => display.note(line));
    const work = trainAndEvaluate(config, processes, { kept, display, signal: leaving.signal });
    work.catch(() => undefined);
    const result = await unlessAborted(Promise.race([work, processes.failure]), signal);
    leaving.abort();
    if (result) await storeResult(config, result);
    else display.note('Stopping the processes …');
    await processes.stop();
    if (result && !isRecorded) await forgetStreams(config);
    return result;
  } finally {
    leaving.abort();
    await processes.stop();
    await kept.end();
    await nats?.stop();
  }
}

/** What the parts of the command share. */
interface Surroundings {
  /** Where others find the processes. */
  readonly kept: KeptProcesses;
  readonly display: Display;
  readonly signal: AbortSignal;
}

async function trainAndEvaluate(
  config: RunConfig,
  processes: RunProcesses,
  surroundings: Surroundings,
): Promise<RunResult> {
  const { kept, display, signal } = surroundings;
  const startedAt = performance.now();
  const isRecorded = recordingOf(config) !== undefined;
  const teachers = isRecorded
    ? []
    : await processes.startTeachers(({ message }) => display.note(`${message}. The run goes on without it.`));
  signal.throwIfAborted();
  for (const teacher of teachers) {
    display.note(listeningLine(teacher, config));
    await kept.add(runningProcess(teacher, 'teacher'));
  }
  if (config.target.service) {
    const served = await processes.startTargetService();
    signal.throwIfAborted();
    display.note(`${listeningLine(served, config)}\nOpenAI's API: ${httpUrl(served, config)}v1`);
    await kept.add(runningProcess(served, 'target'));
  }
  const reached = () => ({
    ...config,
    // A teacher whose process has left, or whose distributions were recorded, is read from its model's directory.
    teachers: config.teachers
      .map((teacher, i) => ({
        ...teacher,
        address: isRecorded || processes.left.has(teacher.name) ? '127.0.0.1:0' : teachers[i].grpc,
      }))
      .filter(({ model }) => model !== undefined || !isRecorded),
  });
  const heldOut = config.heldOut.length === 0 ? undefined : await readHeldOut(reached(), signal);
  await train(config, processes, surroundings);
  signal.throwIfAborted();

  display.note('Trained. Scoring the held-out texts …');
  const domains = heldOut === undefined ? [] : await heldOutLosses(reached(), signal, heldOut);
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
  processes: RunProcesses,
  { kept, display, signal }: Surroundings,
): Promise<void> {
  const board = new RunBoard(config.run, { isOurs: true });
  const draw = setInterval(() => display.show(board.seen()), drawEveryMilliseconds);
  const done = new AbortController();
  const watching = AbortSignal.any([signal, done.signal]);
  watching.addEventListener('abort', () => clearInterval(draw), { once: true });
  try {
    if (recordingOf(config) === undefined) processes.startFeeder((fed) => board.fed(fed));
    if (config.onPolicy) {
      const { pid, writing } = processes.startRolloutWorker();
      void writing.then((metricsPort) => {
        display.note(
          `${rolloutName} metrics ${httpScheme(config.security)}://127.0.0.1:${metricsPort}/metrics`,
        );
        return kept.add({ name: rolloutName, kind: 'rollout', grpc: '', metricsPort, pid });
      });
    }
    const trainer = processes.startTrainer();
    trainer.ready.then(
      async (listening) => {
        display.note(trainerLines(listening, config));
        await kept.add(runningProcess(listening, 'trainer'));
        await followTrainer(config, async () => listening.grpc, { follower: board, signal: watching });
      },
      () => undefined,
    );
    await trainer.done;
    await kept.drop('trainer');
  } finally {
    done.abort();
    display.show(board.seen());
  }
}

const runningProcess = (
  { name, grpc, metricsPort, pid }: Listening,
  kind: RunningProcess['kind'],
): RunningProcess => ({ name, kind, grpc, metricsPort, pid });

/**
 * Fails at once, in one line, when there is no NATS; with `fresh`, removes what it holds of the run. Tells what of the run
 * may turn out too large for it.
 */
async function probeNats(config: RunConfig, fresh: boolean, tell: (line: string) => void): Promise<void> {
  if (fresh) await forgetStreams(config);
  const connection = await connectNats(config, 'fusemesh up');
  try {
    for (const sentence of await tooLargeFor(connection, config)) tell(`Before the start: ${sentence}`);
  } finally {
    await connection.close();
  }
}

export async function forgetStreams(config: RunConfig): Promise<void> {
  const connection = await connectNats(config, 'fusemesh up');
  try {
    await openRunStreams(connection, config.run).remove();
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

/** Where a process listens, for people. */
const listeningLine = (listening: Listening, config: RunConfig): string =>
  `${listening.name} ${listening.grpc}, metrics ${httpUrl(listening, config)}metrics`;

/** The same of the trainer, with its page. */
const trainerLines = (trainer: Listening, config: RunConfig): string =>
  [
    listeningLine(trainer, config),
    ...(trainer.note ? [trainer.note] : []),
    `The run in a browser: ${httpUrl(trainer, config)}`,
  ].join('\n');

/** HTTP is served at the host of the gRPC service. */
const httpUrl = ({ grpc, metricsPort }: Listening, { security }: RunConfig): string =>
  `${httpScheme(security)}://${reachableAddress(grpc.replace(/\d+$/, String(metricsPort)))}/`;
