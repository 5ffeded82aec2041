import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { advertisedAddress, withPort } from '../../wire/discovery/advertised-address.ts';
import { describeTrainer } from '../../wire/discovery/trainer-listing.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { registerService } from '../../wire/nats/services.ts';
import type { TrainingContext } from '../training-context.ts';

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
