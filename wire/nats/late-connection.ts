import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import type { Log } from '../../process/log/log.ts';
import { RepeatedWarning } from '../../process/log/repeated-warning.ts';
import type { NatsConnection } from './connection.ts';

const firstRetry = 250;
const longestRetry = 2_000;

/**
 * A connection for a process that also works without NATS: it is opened at the first need, at once or as soon as NATS
 * answers. Once open, it reconnects by itself.
 */
export class LateConnection {
  readonly #open: () => Promise<NatsConnection>;
  #opening: Promise<NatsConnection> | undefined;

  constructor(open: () => Promise<NatsConnection>) {
    this.#open = open;
  }

  /** @throws FuseMeshError unavailable when NATS does not answer now */
  now(): Promise<NatsConnection> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Retries until it is open; logs each new reason for failure once. Undefined when aborted. */
  async whenThere(signal: AbortSignal, log: Log): Promise<NatsConnection | undefined> {
    const warning = new RepeatedWarning(log);
    for (let pause = firstRetry; !signal.aborted; pause = Math.min(2 * pause, longestRetry)) {
      try {
        return await this.now();
      } catch (error) {
        if (!(error instanceof FuseMeshError)) throw error;
        warning.warn(error.message);
      }
      await sleepUnlessAborted(pause, signal);
    }
    return undefined;
  }

  async close(): Promise<void> {
    await (await this.#opening?.catch(() => undefined))?.close();
  }
}
