import type { Command } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { followTrainer, type TrainerFollower } from '../reach/follow-trainer.ts';
import { trainerAddress } from '../reach/reachable.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { finishedRun } from '../stored/finished-run.ts';
import { type Display, runDisplay } from '../view/display.ts';
import { finishedText } from '../view/finished-text.ts';
import { RunBoard } from '../view/run-board.ts';

const drawEveryMilliseconds = 500;

export function addWatch(program: Command): void {
  withRunFile(program.command('watch'))
    .summary('see how a run goes, live')
    .description(
      'Shows a run from any terminal: step and time left, tokens per second of trainer and teachers, who waits for ' +
        'whom, queues and streams, losses, what the target writes itself, where the time goes, the newest ' +
        'checkpoint. It only looks on. It waits for a trainer that does not answer and goes on when it is back. It ' +
        'ends when the run does: exit code 0 when it has finished, 1 when it has failed. Ctrl-C leaves; the run ' +
        'goes on.\n\n' +
        'Where the run file has a fixed port the trainer may be on any machine. Where it has port 0, ' +
        '`fusemesh up` says in OUTPUT/processes.json which port it is.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh up examples/demo.yaml      # in one terminal\n' +
        '  $ fusemesh watch examples/demo.yaml   # in another',
    )
    .action((path: string, options: RunFileOptions) =>
      runUntilStopped(async (signal) => watch(await readRunFile(path, options), signal)),
    );
}

async function watch(config: RunConfig, signal: AbortSignal): Promise<void> {
  const display = runDisplay(process.stdout);
  try {
    const end = await watchRun(config, display, signal);
    display.end();
    if (end === 'failed') {
      throw new FuseMeshError(
        'failed_precondition',
        `Run ${config.run} has failed: the trainer's log says why.`,
      );
    }
    if (end === undefined) return;
    const stored = await finishedRun(config);
    process.stdout.write(stored ? `${finishedText(config, stored)}\n` : `Run ${config.run} has finished.\n`);
  } finally {
    display.end();
  }
}

/**
 * Shows a run until it ends or the signal comes. A trainer that has left is looked for on disk too: when all steps
 * are in a checkpoint and the fused model is written, the run has finished.
 *
 * @returns how the run ended; undefined when the signal came first
 * @throws FuseMeshError failed_precondition when nobody knows where the trainer is
 */
async function watchRun(
  config: RunConfig,
  display: Display,
  signal: AbortSignal,
): Promise<'finished' | 'failed' | undefined> {
  const board = new RunBoard(config.run, { isOurs: false });
  const found = await addressOrFinished(config);
  if (found === 'finished') return 'finished';

  const finished = new AbortController();
  const follower: TrainerFollower = {
    status: (status) => board.status(status),
    history: (history) => board.history(history),
    silent: (why) => {
      board.silent(why);
      isFinished(config, board.seen().status?.stepsTotal).then(
        (yes) => yes && finished.abort(),
        // A half-written file: the next look tells.
        () => undefined,
      );
    },
  };
  const draw = setInterval(() => display.show(board.seen()), drawEveryMilliseconds);
  try {
    const end = await followTrainer(config, () => trainerAddress(config), {
      follower,
      signal: AbortSignal.any([signal, finished.signal]),
    });
    if (end !== undefined) display.show(board.seen());
    return end ?? (finished.signal.aborted ? 'finished' : undefined);
  } finally {
    clearInterval(draw);
  }
}

/** Whether the trainer's address is known or will be; a run that is over needs no trainer. */
async function addressOrFinished(config: RunConfig): Promise<'known' | 'finished'> {
  try {
    await trainerAddress(config);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'unavailable') return 'known';
    if (await isFinished(config, undefined)) return 'finished';
    throw error;
  }
  return 'known';
}

/** @param steps that the run has in all, where the trainer has said so */
async function isFinished(config: RunConfig, steps: bigint | undefined): Promise<boolean> {
  const stored = await finishedRun(config);
  return stored !== undefined && stored.checkpointStep >= (steps ?? 0n);
}
