import { expect, it } from 'vitest';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { createLog } from '../../process/log/log.ts';
import { TrainerService, TrainerState } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { serve } from '../../wire/grpc/serve.ts';
import { RunStatus } from './run-status.ts';
import { trainerService } from './trainer-service.ts';
import { TrainingControl } from './training-control.ts';

const log = createLog('test', { level: 'silent' });

/** How a stream of steps ends for a caller when the run ends in a state and the server leaves at once. */
async function endOfStream(phase: TrainerState): Promise<string> {
  const notifier = new Notifier();
  const status = new RunStatus('demo', notifier, new TrainingControl(notifier));
  const server = await serve({ address: '127.0.0.1:0', services: [trainerService(status, log)], log });
  const client = createClient(TrainerService, server.address);
  try {
    // The connection stands, so that the stream below is there before the end.
    await client.getStatus({});
    const steps = client.watchSteps({})[Symbol.asyncIterator]();
    const next = steps.next();
    await client.getStatus({});
    status.end(phase);
    const [{ done }] = await Promise.all([next, server.stop()]);
    return done ? 'done' : 'a step';
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    client.close();
    await server.stop();
  }
}

it('tells those who watch its steps how the run ended', async () => {
  expect(await endOfStream(TrainerState.FINISHED)).toBe('done');
  expect(await endOfStream(TrainerState.FAILED)).toBe('failed_precondition');
  expect(await endOfStream(TrainerState.TRAINING)).toBe('unavailable');
});
