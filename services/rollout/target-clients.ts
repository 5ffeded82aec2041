import type { SecuritySettings } from '../../process/security/service-security.ts';
import { TargetService } from '../../wire/generated/fusemesh/v1/target_pb.ts';
import { type Client, createClient } from '../../wire/grpc/client.ts';

/** A target service that may be called. */
export interface TargetClient {
  readonly address: string;
  readonly service: Client<typeof TargetService>;
}

interface Known extends TargetClient {
  calls: number;
  /** Not called before, in milliseconds of performance.now(). */
  restsUntil: number;
}

/** How long one that did not answer is left alone while there are others, in milliseconds. */
const rest = 2_000;

/** The target services of a run, of which the one with the fewest of our calls gets the next. */
export class TargetClients {
  readonly #security: SecuritySettings;
  readonly #known = new Map<string, Known>();

  /** @param fixed an address that is always called, whoever is found */
  constructor(fixed: string | undefined, security: SecuritySettings) {
    this.#security = security;
    if (fixed !== undefined) this.#add(fixed);
  }

  get count(): number {
    return this.#known.size;
  }

  /** Adds those that were found. One that is not found any more is left in: it fails and rests. */
  found(addresses: readonly string[]): void {
    for (const address of addresses) if (!this.#known.has(address)) this.#add(address);
  }

  /** Calls one of them. @returns undefined where none is known */
  async call<Result>(work: (client: TargetClient) => Promise<Result>): Promise<Result | undefined> {
    const now = performance.now();
    const [best] = [...this.#known.values()].sort(
      (one, other) =>
        Number(one.restsUntil > now) - Number(other.restsUntil > now) || one.calls - other.calls,
    );
    if (best === undefined) return undefined;
    best.calls++;
    try {
      return await work(best);
    } catch (error) {
      best.restsUntil = performance.now() + rest;
      throw error;
    } finally {
      best.calls--;
    }
  }

  close(): void {
    for (const { service } of this.#known.values()) service.close();
  }

  #add(address: string): void {
    const service = createClient(TargetService, address, this.#security);
    this.#known.set(address, { address, service, calls: 0, restsUntil: 0 });
  }
}
