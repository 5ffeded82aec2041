import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { advertisedAddress, withPort } from '../mesh/discovery/advertised-address.ts';
import { describeTrainer } from '../mesh/discovery/trainer-listing.ts';
import type { NatsConnection } from '../mesh/nats/connection.ts';
import { registerService } from '../mesh/nats/services.ts';
import type { TrainingContext } from './training-context.ts';

/** Lets others find the trainer over NATS as long as the connection stands; training does not depend on it. */
export async function registerTrainer(
  connection: NatsConnection,
  { status, listening, log }: Pick<TrainingContext, 'status' | 'listening' | 'log'>,
): Promise<void> {
  const address = advertisedAddress(listening.grpc, connection);
  const places = { address, metricsAddress: withPort(address, listening.metricsPort) };
  const progress = () => ({
    state: status.stateName,
    step: status.lastStep?.step ?? 0,
    stepsTotal: status.totalSteps,
    tokensPerSecond: status.tokensPerSecond,
  });
  try {
    await registerService(connection, describeTrainer({ run: status.run, ...places }, progress));
  } catch (error) {
    if (!(error instanceof FuseMeshError)) throw error;
    log.warn(`Others cannot find this trainer over NATS: ${error.message}`);
  }
}
