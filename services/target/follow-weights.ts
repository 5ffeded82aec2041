import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Log } from '../../process/log/log.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import type { LateConnection } from '../../wire/nats/late-connection.ts';
import { openWeights } from '../../wire/nats/weights.ts';
import { checkpointWeights } from './weights/checkpoint-weights.ts';
import { publishedWeights } from './weights/published-weights.ts';
import { serveNewestWeights } from './weights/serve-newest-weights.ts';
import type { WeightsSource } from './weights/weights-source.ts';

/** Where weights come from. */
interface WeightsPlace {
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

/** The weights of checkpoints where some are named, else those that the run's trainer publishes. */
export const followWeights: FollowWeights = (onWeights, place) => {
  const { config, checkpoints, signal, log } = place;
  const source = checkpoints === undefined ? publishedOrFirst(place) : checkpointWeights(checkpoints, log);
  return serveNewestWeights({ model: config.target.model, source, onWeights, signal, log });
};

/** Without NATS, the weights that the run begins with, until it is there. */
const publishedOrFirst = ({ config, nats, log }: WeightsPlace): WeightsSource => ({
  async *follow(signal) {
    let connection = await unlessUnavailable(nats.now());
    if (connection === undefined) {
      log.info('NATS is not there: the weights that the run begins with are served until it is');
      yield undefined;
      connection = await nats.whenThere(signal, log);
      if (connection === undefined) return;
    }
    const published = await publishedWeights(openWeights(connection, config.run), config.target.model);
    yield* published.follow(signal);
  },
});

async function unlessUnavailable(connection: Promise<NatsConnection>): Promise<NatsConnection | undefined> {
  try {
    return await connection;
  } catch (error) {
    if (error instanceof FuseMeshError && error.code === 'unavailable') return undefined;
    throw error;
  }
}
