import { type NatsConnection as Connection, connect, type JetStreamManager } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** A connection to NATS that comes back by itself; nothing outside this folder looks inside it. */
export interface NatsConnection {
  readonly url: string;
  /** For this folder only. */
  readonly raw: Connection;
  /** For this folder only. */
  readonly manager: JetStreamManager;
  /** Sends what is still to be sent and closes. */
  close(): Promise<void>;
}

/**
 * @param name what this process is called in the server's list of connections
 * @throws FuseMeshError unavailable when nothing answers there, failed_precondition without JetStream
 */
export async function connectNats(url: string, name: string): Promise<NatsConnection> {
  let raw: Connection;
  try {
    raw = await connect({
      servers: url,
      name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      timeout: 5_000,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FuseMeshError(
      'unavailable',
      `No NATS server answers at ${url} (${reason}): start one with \`nats-server -js\`, or set NATS_URL or nats.url.`,
      { cause },
    );
  }
  try {
    const manager = await raw.jetstreamManager();
    return { url, raw, manager, close: () => close(raw) };
  } catch (cause) {
    await raw.close();
    throw new FuseMeshError(
      'failed_precondition',
      `The NATS server at ${url} has no JetStream: start it with \`nats-server -js\`.`,
      { cause },
    );
  }
}

async function close(raw: Connection): Promise<void> {
  if (raw.isClosed()) return;
  await raw.drain().catch(() => {});
  // With the server gone, a drained client would go on reconnecting and keep the process alive for ever.
  await raw.close();
}
