import type { RunConfig } from '../../process/config/schema.ts';
import type { Readiness } from '../../process/lifecycle/readiness.ts';
import type { Log } from '../../process/log/log.ts';
import { type ConnectionEvent, connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { LateConnection } from '../../wire/nats/late-connection.ts';
import type { ServiceDescription } from '../../wire/nats/services.ts';
import { keepRegistered } from '../registration/keep-registered.ts';

interface Watch {
  readonly readiness: Readiness;
  readonly onEvent: (event: ConnectionEvent) => void;
  readonly log: Log;
}

/**
 * A teacher's connection to NATS. The teacher serves gRPC without it; while it works for a run, a lost connection
 * makes it unready.
 */
export class TeacherNats {
  readonly #connection: LateConnection;
  readonly #readiness: Readiness;
  readonly #log: Log;
  #runs = 0;
  #lost = false;

  /** @param name of the teacher */
  constructor(
    config: Pick<RunConfig, 'nats' | 'security'>,
    name: string,
    { readiness, onEvent, log }: Watch,
  ) {
    this.#readiness = readiness;
    this.#log = log;
    const watch = {
      log,
      onEvent: (event: ConnectionEvent) => {
        onEvent(event);
        if (event === 'unanswered') return;
        this.#lost = event === 'lost' || event === 'closed';
        this.#tellReadiness();
      },
    };
    this.#connection = new LateConnection(() => connectNats(config, `fusemesh teacher ${name}`, watch));
  }

  /** @throws FuseMeshError unavailable when NATS does not answer now */
  now(): Promise<NatsConnection> {
    return this.#connection.now();
  }

  /** The teacher works for one more run, until `ended` settles. */
  neededUntil(ended: Promise<void>): void {
    this.#runs++;
    this.#tellReadiness();
    const leave = () => {
      this.#runs--;
      this.#tellReadiness();
    };
    ended.then(leave, leave);
  }

  /**
   * Registers the teacher as soon as NATS is there, until aborted. Where that fails it serves on, and the log says why
   * others do not find it.
   */
  keepRegistered(
    describe: (connection: NatsConnection) => ServiceDescription,
    signal: AbortSignal,
  ): Promise<void> {
    return keepRegistered(this.#connection, 'teacher', describe, { signal, log: this.#log });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #tellReadiness(): void {
    if (this.#lost && this.#runs > 0) this.#readiness.lacks('nats', 'the connection to NATS is lost');
    else this.#readiness.has('nats');
  }
}
