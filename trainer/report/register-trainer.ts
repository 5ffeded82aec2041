import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../../process/log/log.ts';
import { advertisedAddress, withPort } from '../../wire/discovery/advertised-address.ts';
import { describeTrainer } from '../../wire/discovery/trainer-listing.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { registerService } from '../../wire/nats/services.ts';
import type { RunStatus } from './run-status.ts';

/** Lets others find the trainer over NATS as long as the connection stands; the training does not depend on it. */
export async function registerTrainer(
  connection: NatsConnection,
  {
    status,
    listening,
    log,
  }: {
    readonly status: RunStatus;
    /** HOST:PORT of its gRPC service, and port of /metrics and its page. */
    readonly listening: { readonly grpc: string; readonly metricsPort: number };
    readonly log: Log;
  },
): Promise<void> {
  const address = advertisedAddress(listening.grpc, connection);
  const addresses = { address, metricsAddress: withPort(address, listening.metricsPort) };
  const progress = () => ({
    state: status.stateName,
    step: status.record.lastStep?.step ?? 0,
    stepsTotal: status.record.planned.steps,
    tokensPerSecond: status.record.tokensPerSecond,
  });
  try {
    await registerService(connection, describeTrainer({ run: status.run, ...addresses }, progress));
  } catch (error) {
    if (!(error instanceof FuseMeshError)) throw error;
    log.warn(`Others cannot find this trainer over NATS: ${error.message}`);
  }
}
