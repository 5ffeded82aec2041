import { join } from 'node:path';
import type { RunConfig } from '../../process/config/schema.ts';
import { startLastingNatsServer } from '../../wire/nats/lasting-server.ts';

/** A nats-server of `up`. */
export interface OwnNats {
  /** The part of the run file about NATS, as it is with this server. */
  readonly settings: RunConfig['nats'];
  /** The same for the command lines of other processes: they say where the token is, not what it is. */
  readonly overrides: readonly string[];
  stop(): Promise<void>;
}

/**
 * Starts a nats-server for a run. Whoever may read the run's directory may enter it, and nobody else.
 *
 * @param tell hears in one line when it ended and is started again
 */
export async function startOwnNats(
  { nats, trainer }: RunConfig,
  tell: (line: string) => void,
): Promise<OwnNats> {
  const storeDirectory = join(trainer.output, 'nats');
  const server = { storeDirectory, sync: nats.sync, demandToken: true };
  const { url, tokenFile, stop } = await startLastingNatsServer(server, tell);
  const overrides = [`nats.url=${url}`, `nats.tokenFile=${JSON.stringify(tokenFile)}`];
  return { settings: { ...nats, url, tokenFile }, overrides, stop };
}
