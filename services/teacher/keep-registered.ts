import { once } from 'node:events';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../../process/log/log.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import type { LateConnection } from '../../wire/nats/late-connection.ts';
import { registerService, type ServiceDescription } from '../../wire/nats/services.ts';

/**
 * Registers a teacher at NATS as soon as NATS is there, until aborted. A teacher serves gRPC without NATS as well,
 * so what goes wrong here is said and no more.
 */
export async function keepRegistered(
  nats: LateConnection,
  describe: (connection: NatsConnection) => ServiceDescription,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<void> {
  try {
    const connection = await nats.whenThere(signal, log);
    if (connection === undefined) return;
    const service = await registerService(connection, describe(connection));
    log.info(`The teacher is registered at NATS at ${connection.url}`);
    if (!signal.aborted) await once(signal, 'abort');
    await service.stop();
  } catch (error) {
    if (!(error instanceof FuseMeshError)) throw error;
    if (!signal.aborted) log.warn(`Others cannot find this teacher over NATS: ${error.message}`);
  }
}
