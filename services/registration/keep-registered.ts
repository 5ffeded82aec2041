import { once } from 'node:events';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../../process/log/log.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import type { LateConnection } from '../../wire/nats/late-connection.ts';
import { registerService, type ServiceDescription } from '../../wire/nats/services.ts';

/**
 * Registers a process as soon as NATS is there, until aborted. Where that fails it serves on, and the log says why
 * others do not find it.
 *
 * @param what the process is, for the log: "teacher"
 */
export async function keepRegistered(
  late: LateConnection,
  what: string,
  describe: (connection: NatsConnection) => ServiceDescription,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<void> {
  try {
    const connection = await late.whenThere(signal, log);
    if (connection === undefined) return;
    const service = await registerService(connection, describe(connection));
    log.info(`The ${what} is registered at NATS at ${connection.url}`);
    if (!signal.aborted) await once(signal, 'abort');
    await service.stop();
  } catch (error) {
    if (!(error instanceof FuseMeshError)) throw error;
    if (!signal.aborted) log.warn(`Others cannot find this ${what} over NATS: ${error.message}`);
  }
}
