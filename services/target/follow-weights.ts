import { once } from 'node:events';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Log } from '../../process/log/log.ts';
import type { LateConnection } from '../../wire/nats/late-connection.ts';

/** Where weights come from. */
export interface WeightsPlace {
  readonly config: RunConfig;
  readonly nats: LateConnection;
  /** A directory of checkpoints to take them from, in the place of those that the trainer publishes. */
  readonly checkpoints: string | undefined;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Serves the model of a directory as the weights of a step; resolves when the directory before it is not needed. */
export type OnWeights = (directory: string, step: number) => Promise<void>;

/** Calls back with the weights that there are, and with newer ones as they come, until aborted. */
export type FollowWeights = (onWeights: OnWeights, place: WeightsPlace) => Promise<void>;

/** The weights that the run begins with. */
export const followWeights: FollowWeights = async (onWeights, { config, signal }) => {
  await onWeights(config.target.model, 0);
  if (!signal.aborted) await once(signal, 'abort');
};
