import type { RunConfig } from '../../process/config/schema.ts';
import { finishedRun } from '../reach/finished-run.ts';
import { followTrainer, type TrainerFollower } from '../reach/follow-trainer.ts';
import { trainerAddress } from '../reach/reachable.ts';
import type { Display } from '../view/display.ts';
import { RunBoard } from '../view/run-board.ts';

const drawEveryMilliseconds = 500;

/**
 * Shows a run until it ends or the signal comes. A trainer that has left is looked for on disk too: when all steps
 * are in a checkpoint and the fused model is written, the run has finished.
 *
 * @returns how the run ended; undefined when the signal came first
 * @throws FuseMeshError failed_precondition when nobody knows where the trainer is
 */
export async function watchRun(
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
        // Half written: the next look tells.
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

/** Whether anybody can tell where the trainer is, or will; a run that is over needs none. */
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
