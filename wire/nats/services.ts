import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ownVersion } from '../../process/lifecycle/own-version.ts';
import type { NatsConnection } from './connection.ts';
import { natsFailure } from './failure.ts';

/** How long a look waits for the server, in milliseconds. */
const patience = 5_000;
const stopWithin = 1_000;

/** A process as NATS's service protocol tells of it. */
export interface ServiceDescription {
  /** What kind of process it is; letters, digits and dashes. */
  readonly name: string;
  /** For people. */
  readonly description: string;
  /** What does not change while it lives. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What does, as JSON; asked for at every look. */
  readonly load: () => object;
}

/** A process that others find over NATS. */
export interface RegisteredService {
  /** Nobody finds it any more. */
  stop(): Promise<void>;
}

/**
 * Answers for a process in NATS's service protocol ($SRV.PING, INFO and STATS), so that NATS's own tools list it
 * too. It goes on doing so after the connection was lost and is back.
 */
export async function registerService(
  { raw, url }: NatsConnection,
  { load, ...description }: ServiceDescription,
): Promise<RegisteredService> {
  try {
    const service = await raw.services.add({
      ...description,
      version: ownVersion,
      statsHandler: async () => load(),
    });
    // The protocol has statistics of endpoints alone; this one is what they stand beside.
    service.addEndpoint('load', {
      subject: `${description.name}.${service.info().id}.load`,
      handler: (error, message) => {
        if (error === null) message.respond(JSON.stringify(load()));
      },
    });
    // An answer means that the server knows the subscriptions.
    await raw.flush();
    return {
      async stop() {
        // With the server gone nobody confirms it, and nobody can find it either.
        await Promise.race([service.stop(), sleep(stopWithin, undefined, { ref: false })]);
      },
    };
  } catch (error) {
    throw natsFailure(error, `register ${description.name}`, url);
  }
}

/** A process that was found over NATS. */
export interface FoundService {
  /** Of FuseMesh there. */
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** As {@link ServiceDescription.load} gave it; undefined where it gave none. */
  readonly load: unknown;
}

/**
 * All processes of a name that answer now. Takes some tenths of a second, two where one is known and silent.
 *
 * @throws FuseMeshError unavailable when NATS does not answer
 */
export async function findServices({ raw, url }: NatsConnection, name: string): Promise<FoundService[]> {
  const found: FoundService[] = [];
  try {
    // Whoever waits for answers to a lost connection hears of none; this asks whether it stands.
    await withinSeconds(raw.flush());
    for await (const { version, metadata, endpoints } of await raw.services.client().stats(name)) {
      found.push({ version, metadata: metadata ?? {}, load: endpoints?.[0]?.data });
    }
    return found;
  } catch (error) {
    // Nobody has registered under that name.
    if ((error as { code?: unknown }).code === '503') return [];
    throw natsFailure(error, `ask who is there as ${name}`, url);
  }
}

async function withinSeconds(answer: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FuseMeshError('unavailable', 'NATS does not answer')), patience);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
