import { setTimeout as sleep } from 'node:timers/promises';
import type { QueuedIterator, Status } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ownVersion } from '../../process/lifecycle/own-version.ts';
import type { NatsConnection } from './connection.ts';
import { natsFailure } from './failure.ts';

/** How long a search waits for the server, in milliseconds. */
const patience = 5_000;
const stopWithin = 1_000;

/** A process as NATS's service protocol describes it. */
export interface ServiceDescription {
  /** The kind of process, in letters, digits and dashes. */
  readonly name: string;
  /** For human readers. */
  readonly description: string;
  /** What does not change while the process runs. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What changes, as JSON; called for every search. */
  readonly load: () => object;
}

/** A process that others find over NATS. */
export interface RegisteredService {
  /** From then on nobody finds it. */
  stop(): Promise<void>;
}

/**
 * Registers a process in NATS's service protocol ($SRV.PING, INFO and STATS), so that NATS's own tools list it too. It
 * stays registered when the connection is lost and comes back.
 */
export async function registerService(
  { raw, url }: NatsConnection,
  { load, ...description }: ServiceDescription,
): Promise<RegisteredService> {
  try {
    const refused: string[] = [];
    const statuses = raw.status();
    void (async () => {
      for await (const { permissionContext } of statuses) {
        if (permissionContext?.operation === 'subscription') refused.push(permissionContext.subject);
      }
    })();
    const service = await raw.services.add({
      ...description,
      version: ownVersion,
      statsHandler: async () => load(),
    });
    // The protocol has statistics only for endpoints, so one is added to carry them.
    service.addEndpoint('load', {
      subject: `${description.name}.${service.info().id}.load`,
      handler: (error, message) => {
        if (error === null) message.respond(JSON.stringify(load()));
      },
    });
    // An answer means that the server knows the subscriptions.
    await raw.flush();
    // What has come before it is told first.
    await sleep(0);
    (statuses as Partial<QueuedIterator<Status>>).stop?.();
    if (refused.length > 0) {
      throw new FuseMeshError(
        'permission_denied',
        `Cannot register ${description.name}: the user at ${url} may not subscribe to ${refused.join(', ')}: deploy/nats-accounts.conf has what each process needs.`,
      );
    }
    return {
      async stop() {
        // Where the server is gone nobody confirms this, but nobody finds the process either.
        await Promise.race([service.stop(), sleep(stopWithin, undefined, { ref: false })]);
      },
    };
  } catch (error) {
    throw natsFailure(error, `register ${description.name}`, url);
  }
}

/** A process that was found over NATS. */
export interface FoundService {
  /** Version of FuseMesh in that process. */
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** As {@link ServiceDescription.load} gave it; undefined where it gave none. */
  readonly load: unknown;
}

/**
 * All processes of a name that answer now. Takes some tenths of a second, or two seconds where a known one is silent.
 *
 * @throws FuseMeshError unavailable when NATS does not answer
 */
export async function findServices({ raw, url }: NatsConnection, name: string): Promise<FoundService[]> {
  const found: FoundService[] = [];
  try {
    // On a lost connection no answers would look like no processes: this fails instead.
    await withinSeconds(raw.flush());
    for await (const { version, metadata, endpoints } of await raw.services.client().stats(name)) {
      found.push({ version, metadata: metadata ?? {}, load: endpoints?.[0]?.data });
    }
    return found;
  } catch (error) {
    // No process has registered under that name.
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
