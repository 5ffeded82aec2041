import type { NatsConnection } from './connection.ts';
import { natsFailure } from './failure.ts';
import { type RunContext, runNames } from './names.ts';
import { ensureBucket, isWhole } from './weights-bucket.ts';
import type { WeightsObject } from './weights-object.ts';
import { publishWeights, type WeightsContent } from './weights-publisher.ts';
import { followWeights, newestWeights, readWeights } from './weights-reader.ts';

export type { WeightsObject } from './weights-object.ts';
export type { WeightsContent } from './weights-publisher.ts';

/** The weights of a run's target on their way from its trainer to who serves it: the newest two, in an object store. */
export interface RunWeights {
  /** As {@link publishWeights}. */
  publish(
    content: WeightsContent,
    options: { readonly patience: number; readonly replicas: number },
  ): Promise<WeightsObject>;
  /**
   * Whether weights are still there, all of them.
   * @throws FuseMeshError unavailable when NATS does not answer
   */
  has(object: WeightsObject): Promise<boolean>;
  /** As {@link newestWeights}. */
  newest(signal: AbortSignal): Promise<WeightsObject | undefined>;
  /** As {@link followWeights}. */
  follow(signal: AbortSignal): AsyncIterable<WeightsObject>;
  /** As {@link readWeights}. */
  read(
    object: WeightsObject,
    write: (chunk: Uint8Array) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void>;
}

/** @param run name of the run: part of the bucket's name */
export function openWeights(connection: NatsConnection, run: string): RunWeights {
  let replicas: number | undefined;
  const context: RunContext = {
    connection,
    names: runNames(run),
    // Who only reads makes no bucket: that of a removed run would come back.
    async restore() {
      if (replicas !== undefined) await ensureBucket(context, replicas);
      return replicas !== undefined;
    },
  };
  return {
    publish(content, options) {
      replicas = options.replicas;
      return publishWeights(context, content, options);
    },
    async has(object) {
      try {
        return await isWhole(context, object);
      } catch (error) {
        throw natsFailure(error, 'look for weights', connection.url);
      }
    },
    newest: (signal) => newestWeights(context, signal),
    follow: (signal) => followWeights(context, signal),
    read: (object, write, signal) => readWeights(context, object, write, signal),
  };
}
