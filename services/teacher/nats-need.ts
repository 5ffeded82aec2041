import type { Readiness } from '../../process/lifecycle/readiness.ts';
import type { ConnectionEvent } from '../../wire/nats/connection.ts';

/** A teacher needs NATS as long as it is attached to a run: only then does a lost connection make it unready. */
export class NatsNeed {
  readonly #readiness: Readiness;
  #runs = 0;
  #lost = false;

  constructor(readiness: Readiness) {
    this.#readiness = readiness;
  }

  onEvent(event: ConnectionEvent): void {
    this.#lost = event === 'lost' || event === 'closed';
    this.#tell();
  }

  /** The teacher is attached to one more run, until `ended` settles. */
  attached(ended: Promise<void>): void {
    this.#runs++;
    this.#tell();
    const left = () => {
      this.#runs--;
      this.#tell();
    };
    ended.then(left, left);
  }

  #tell(): void {
    if (this.#lost && this.#runs > 0) this.#readiness.lacks('nats', 'the connection to NATS is lost');
    else this.#readiness.has('nats');
  }
}
