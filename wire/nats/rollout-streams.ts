import { DiscardPolicy, nanos, RetentionPolicy, StorageType } from 'nats';
import type { Document, RolloutTask } from '../generated/fusemesh/v1/corpus_pb.ts';
import type { NatsConnection } from './connection.ts';
import { natsFailure, refusalOf } from './failure.ts';
import { type RunContext, runNames } from './names.ts';
import { type DeliveredTask, publishTask, takeTasks } from './prompt-tasks.ts';
import { type DeliveredRollout, publishRollout, takeRollouts } from './rollout-documents.ts';
import { ensureStream, type StreamLimits } from './stream-settings.ts';

export { type DeliveredTask, markTaskEvery } from './prompt-tasks.ts';
export type { DeliveredRollout } from './rollout-documents.ts';

/** What a run's target is to write, and what it has written: both go through NATS, and stay nowhere in it. */
export interface RolloutStreams {
  /** Makes the streams; one that is found missing from then on is made again. */
  ensure(settings: Pick<StreamLimits, 'replicas'>): Promise<void>;

  /**
   * Returns when the server has stored it.
   * @param options.attempt tells this publication of the task from earlier ones
   * @throws FuseMeshError cancelled when aborted
   */
  publishTask(
    task: RolloutTask,
    options: { readonly attempt: string; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Tasks for this worker, each kept by `working` until it is acknowledged or given back; ends when aborted. */
  takeTasks(signal: AbortSignal): AsyncIterable<DeliveredTask>;
  /** Removes all tasks, those that workers have in hand too: what they write comes all the same. */
  purgeTasks(): Promise<void>;

  /** Returns when the server has stored it; throws `cancelled` when aborted. */
  publishRollout(document: Document, signal: AbortSignal): Promise<void>;
  /** What workers have written; ends when aborted. One that is not acknowledged within a minute comes again. */
  takeRollouts(signal: AbortSignal): AsyncIterable<DeliveredRollout>;

  /**
   * Numbers of the documents that have a task, in whoever's hand it is, or a rollout.
   * @throws FuseMeshError unavailable when NATS does not answer
   */
  underway(): Promise<ReadonlySet<number>>;
}

/** The feeder publishes far fewer tasks at a time; beyond, publishers wait. */
const mostMessages = 8_192;
const duplicateWindow = nanos(120_000);

/** @param run name of the run */
export function openRolloutStreams(connection: NatsConnection, run: string): RolloutStreams {
  let replicas: number | undefined;
  const context: RunContext = {
    connection,
    names: runNames(run),
    async restore() {
      if (replicas !== undefined) await ensureRolloutStreams(context, replicas);
      return replicas !== undefined;
    },
  };
  return {
    async ensure(settings) {
      replicas = settings.replicas ?? 1;
      await ensureRolloutStreams(context, replicas);
    },
    publishTask: (task, options) => publishTask(context, task, options),
    takeTasks: (signal) => takeTasks(context, signal),
    purgeTasks: () => purgeTasks(context),
    publishRollout: (document, signal) => publishRollout(context, document, signal),
    takeRollouts: (signal) => takeRollouts(context, signal),
    underway: () => documentsUnderway(context),
  };
}

async function ensureRolloutStreams(context: RunContext, replicas: number): Promise<void> {
  const { promptsStream, promptsPrefix, rolloutsStream, rolloutsPrefix } = context.names;
  const queue = {
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.New,
    storage: StorageType.File,
    num_replicas: replicas,
    max_msgs: mostMessages,
    duplicate_window: duplicateWindow,
  };
  await ensureStream(context, { ...queue, name: promptsStream, subjects: [`${promptsPrefix}*`] });
  await ensureStream(context, { ...queue, name: rolloutsStream, subjects: [`${rolloutsPrefix}*`] });
}

async function purgeTasks({ connection, names }: RunContext): Promise<void> {
  try {
    await connection.manager.streams.purge(names.promptsStream);
  } catch (error) {
    if (refusalOf(error) === 'stream missing') return;
    throw natsFailure(error, `remove the prompts of run ${names.run}`, connection.url);
  }
}

/** Tasks first: one that is done meanwhile has become a rollout. */
async function documentsUnderway({ connection, names }: RunContext): Promise<ReadonlySet<number>> {
  const numbers = new Set<number>();
  for (const [stream, prefix] of [
    [names.promptsStream, names.promptsPrefix],
    [names.rolloutsStream, names.rolloutsPrefix],
  ]) {
    try {
      const { state } = await connection.manager.streams.info(stream, { subjects_filter: `${prefix}*` });
      for (const subject of Object.keys(state.subjects ?? {}))
        numbers.add(Number(subject.slice(prefix.length)));
    } catch (error) {
      // Lost with all that it held: the next publication makes it again.
      if (refusalOf(error) === 'stream missing') continue;
      throw natsFailure(error, `look at the rollouts of run ${names.run}`, connection.url);
    }
  }
  return numbers;
}
