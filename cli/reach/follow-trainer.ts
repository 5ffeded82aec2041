import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import {
  type GetHistoryResponse,
  type GetStatusResponse,
  TrainerService,
  TrainerState,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { type Client, createClient } from '../../wire/grpc/client.ts';

/** What hears of a trainer while it is followed. */
export interface TrainerFollower {
  /** About twice a second, and after every step. */
  status(status: GetStatusResponse): void;
  /** The curves so far, every other second at most. */
  history(history: GetHistoryResponse): void;
  /** It does not answer, and is asked again. */
  silent(why: string): void;
}

const askAgainAfter = 500;
const answerWithin = 5_000;
const looksBetweenHistories = 4;
/** How long a stream of steps may take to say how the run ended, once the trainer does not answer. */
const lastWordWithin = 3_000;

/**
 * Follows the trainer of a run over its restarts, until the run ends or the signal aborts.
 *
 * @param run its name (what answers for another run counts as no answer), and what its services are called with
 * @param find where it listens now, asked for again whenever it does not answer
 * @returns how the run ended; undefined when the signal aborted first
 */
export async function followTrainer(
  { run, security }: Pick<RunConfig, 'run' | 'security'>,
  find: () => Promise<string>,
  { follower, signal }: { readonly follower: TrainerFollower; readonly signal: AbortSignal },
): Promise<'finished' | 'failed' | undefined> {
  while (!signal.aborted) {
    try {
      const client = createClient(TrainerService, await find(), security);
      return await followUntilEnd(run, client, follower, signal);
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      if (!signal.aborted) follower.silent(error.message);
    }
    await sleep(askAgainAfter, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** What the trainer of a run says now. */
export async function askTrainer(
  client: Client<typeof TrainerService>,
  run: string,
  signal: AbortSignal,
): Promise<GetStatusResponse> {
  const status = await client.getStatus({}, { signal, timeoutMs: answerWithin });
  if (status.run === run) return status;
  throw new FuseMeshError(
    'unavailable',
    `What listens where run ${run} has its trainer trains run ${status.run}: give each run an address of its own`,
  );
}

/** Closes the client. */
async function followUntilEnd(
  run: string,
  client: Client<typeof TrainerService>,
  follower: TrainerFollower,
  signal: AbortSignal,
): Promise<'finished' | 'failed'> {
  const leaving = new AbortController();
  const signals = AbortSignal.any([signal, leaving.signal]);
  let latest = await askTrainer(client, run, signal).catch((error) => {
    client.close();
    throw error;
  });
  follower.status(latest);

  const lookAgain = async (): Promise<never> => {
    let drawn = 0n;
    for (let look = 0; ; look++) {
      const step = latest.lastStep?.step ?? 0n;
      if (look % looksBetweenHistories === 0 && step !== drawn) {
        follower.history(await client.getHistory({}, { signal: signals, timeoutMs: answerWithin }));
        drawn = step;
      }
      await sleep(askAgainAfter, undefined, { signal: signals }).catch(() => undefined);
      latest = await askTrainer(client, run, signals);
      follower.status(latest);
    }
  };
  const hearOfSteps = async (): Promise<TrainerState.FINISHED | TrainerState.FAILED> => {
    try {
      for await (const { step } of client.watchSteps({}, { signal: signals })) {
        if (step) latest = { ...latest, lastStep: step };
        follower.status(latest);
      }
      return TrainerState.FINISHED;
    } catch (error) {
      if (error instanceof FuseMeshError && error.code === 'failed_precondition') return TrainerState.FAILED;
      throw error;
    }
  };

  const looking = lookAgain();
  const hearing = hearOfSteps();
  try {
    // Status calls fail as soon as the trainer leaves; the end of the stream says why it left.
    const unanswered = looking.catch(async (error) => {
      await sleep(lastWordWithin, undefined, { signal: signals }).catch(() => undefined);
      throw error;
    });
    const state = await Promise.race([hearing, unanswered]);
    follower.status({ ...latest, state });
    return state === TrainerState.FINISHED ? 'finished' : 'failed';
  } finally {
    leaving.abort();
    await Promise.allSettled([looking, hearing]);
    client.close();
  }
}
