import { expect, it } from 'vitest';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { createLog } from '../../process/log/log.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { serve } from '../../wire/grpc/serve.ts';
import { Intake } from '../intake/intake.ts';
import { TrainerMetrics } from './metrics.ts';
import { type Outcome, RunRecord } from './run-record.ts';
import { RunStatus } from './run-status.ts';
import { trainerService } from './trainer-service.ts';
import { TrainingControl } from './training-control.ts';

const log = createLog('test', { level: 'silent' });

/** How a stream of steps ends for a caller when the run ends in a state and the server leaves at once. */
async function endOfStream(outcome: Outcome): Promise<string> {
  const notifier = new Notifier();
  const control = new TrainingControl(notifier);
  const metrics = new TrainerMetrics(createRegister({ run: 'demo' }), () => {
    throw new Error('nobody scrapes');
  });
  const record = new RunRecord({ metrics, notifier, log, sourceRates: () => ({}) });
  const status = new RunStatus('demo', { control, record, intake: new Intake([], metrics) });
  const server = await serve({ address: '127.0.0.1:0', services: [trainerService(status, log)], log });
  const client = createClient(TrainerService, server.address);
  try {
    // The connection stands, so that the stream below is there before the end.
    await client.getStatus({});
    const steps = client.watchSteps({})[Symbol.asyncIterator]();
    const next = steps.next();
    await client.getStatus({});
    record.end(outcome);
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
  expect(await endOfStream('finished')).toBe('done');
  expect(await endOfStream('failed')).toBe('failed_precondition');
  expect(await endOfStream('stopped')).toBe('unavailable');
});
