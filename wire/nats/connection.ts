import { setTimeout } from 'node:timers/promises';
import {
  type NatsConnection as Connection,
  connect,
  Events,
  type JetStreamClient,
  type JetStreamManager,
} from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../../process/log/log.ts';
import { RepeatedWarning } from '../../process/log/repeated-warning.ts';
import { connectionFailure } from './connection-failure.ts';
import { leaveCutOffServer } from './leave-cut-off-server.ts';
import { atUrl, type NatsSettings, natsLogin } from './login.ts';

/** A connection to NATS that reconnects by itself. */
export interface NatsConnection {
  /** Without user and password, so that messages may show it. */
  readonly url: string;
  /** The IP address of this machine as the server sees it. */
  readonly ownHost: string;
  /** Of the server that answered: 2.9.10. */
  readonly serverVersion: string;
  /** For this folder only. */
  readonly raw: Connection;
  /** For this folder only. */
  readonly manager: JetStreamManager;
  /** For this folder only. */
  readonly jetStream: JetStreamClient;
  /** For this folder only: what was published was not answered in time, or is answered again. */
  readonly unanswered: { happened(): void; over(): void };
  /** Sends what is still to be sent and closes. */
  close(): Promise<void>;
}

/**
 * What happens to a connection: it opens, is lost, comes back, and is closed by us. It stands and yet what is published may
 * stay `unanswered`, each time that it is tried.
 */
export type ConnectionEvent = 'connected' | 'lost' | 'back' | 'closed' | 'unanswered';

/** Where a connection's events are reported. */
export interface ConnectionWatch {
  readonly log?: Log;
  readonly onEvent?: (event: ConnectionEvent) => void;
}

/**
 * @param where nats and security of the run file, or a URL alone
 * @param name what this process is called in the server's list of connections
 * @throws FuseMeshError unavailable when nothing answers there, unauthenticated when it does not let us in or is not
 *   whom it must be, failed_precondition without JetStream, invalid_argument when a file of nats is missing
 */
export async function connectNats(
  where: string | NatsSettings,
  name: string,
  watch: ConnectionWatch = {},
): Promise<NatsConnection> {
  const domain = typeof where === 'string' ? undefined : where.nats.domain;
  const { url: shown, servers, options } = natsLogin(typeof where === 'string' ? atUrl(where) : where);
  let raw: Connection;
  try {
    raw = await connect({
      ...options,
      servers: [...servers],
      name,
      maxReconnectAttempts: -1,
      // While secrets are renewed, server and client disagree for a moment.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: 250,
      timeout: 5_000,
      // A server that hangs keeps its sockets open: three questions without an answer, and it counts as lost.
      pingInterval: 6_000,
      maxPingOut: 2,
      // Our errors say what was being done. The stack that the client would keep for every request takes a tenth of a
      // fast teacher's time.
      noAsyncTraces: true,
    });
  } catch (cause) {
    throw connectionFailure(cause, shown);
  }
  try {
    const inDomain = domain === undefined ? {} : { domain };
    const manager = await raw.jetstreamManager(inDomain);
    const jetStream = raw.jetstream(inDomain);
    void tell(raw, watch);
    if (servers.length > 1) void leaveCutOffServer(raw, manager, watch.log);
    void raw.closed().then(() => watch.onEvent?.('closed'));
    const ownHost = raw.info?.client_ip ?? '127.0.0.1';
    const serverVersion = raw.info?.version ?? '';
    const warning = watch.log && new RepeatedWarning(watch.log);
    const unanswered = {
      happened: () => {
        watch.onEvent?.('unanswered');
        warning?.warn(
          `NATS at ${shown} does not answer what is published, trying again: is its disk full, or does it hang?`,
        );
      },
      over: () => warning?.over(),
    };
    return {
      url: shown,
      ownHost,
      serverVersion,
      raw,
      manager,
      jetStream,
      unanswered,
      close: () => close(raw),
    };
  } catch (cause) {
    await raw.close();
    throw new FuseMeshError(
      'failed_precondition',
      `The NATS server at ${shown} has no JetStream${domain === undefined ? ': start it with `nats-server -js`' : ` in the domain ${domain}: correct nats.domain`}.`,
      { cause },
    );
  }
}

/** Reports a connection's events while it is open. */
async function tell(raw: Connection, { log, onEvent }: ConnectionWatch): Promise<void> {
  onEvent?.('connected');
  const server = raw.getServer();
  let lost = false;
  for await (const { type } of raw.status()) {
    // While a connection stays lost, the client reports every failed attempt.
    if (type === Events.Disconnect && !lost) {
      lost = true;
      log?.warn({ server }, `The connection to NATS at ${server} is lost: trying to connect again`);
      onEvent?.('lost');
    } else if (type === Events.Reconnect && lost) {
      lost = false;
      log?.info({ server }, `The connection to NATS at ${server} is back`);
      onEvent?.('back');
    }
  }
}

/** Milliseconds that a server has to take what is still to be sent. */
const drainWithin = 5_000;

async function close(raw: Connection): Promise<void> {
  if (raw.isClosed()) return;
  const late = new AbortController();
  await Promise.race([
    raw.drain().catch(() => {}),
    setTimeout(drainWithin, undefined, { signal: late.signal }).catch(() => {}),
  ]);
  late.abort();
  // With the server gone, a drained client would keep reconnecting and the process would never end.
  await raw.close();
}
