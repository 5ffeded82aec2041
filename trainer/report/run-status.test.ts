import { expect, it } from 'vitest';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { TrainerState } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { RunStatus } from './run-status.ts';
import { statusMessage } from './status-message.ts';
import type { StepReport } from './step-report.ts';
import { TrainingControl } from './training-control.ts';

const step = (number: number) =>
  ({
    step: number,
    documents: 0,
    tokens: 0,
    skippedSteps: 0,
    stepTokens: 100,
    time: {},
    without: {},
  }) as StepReport;

it('knows the state by its name, paused only while it would train', () => {
  const notifier = new Notifier();
  const control = new TrainingControl(notifier);
  const status = new RunStatus('demo', notifier, control);
  expect(status.stateName).toBe('starting');
  control.pause();
  expect(status.stateName).toBe('starting');
  status.phase = TrainerState.TRAINING;
  expect(status.stateName).toBe('paused');
  control.resume();
  expect(status.stateName).toBe('training');
  status.end(TrainerState.FAILED);
  expect(status.stateName).toBe('failed');
});

it('estimates the time left from the steps of this process, and from no pause', () => {
  const notifier = new Notifier();
  const status = new RunStatus('demo', notifier, new TrainingControl(notifier));
  status.totalSteps = 110;
  expect(status.secondsLeft).toBeUndefined();
  status.phase = TrainerState.TRAINING;
  expect(status.secondsLeft).toBeUndefined();
  status.time.add({ wait: 3, compute: 1 });
  status.step(step(9));
  status.step(step(10));
  expect(status.secondsLeft).toBe(200);
  expect(statusMessage(status)).toMatchObject({ secondsLeft: 200, stepsTotal: 110n });
  status.end(TrainerState.FINISHED);
  expect(status.secondsLeft).toBeUndefined();
  expect(statusMessage(status).secondsLeft).toBeUndefined();
});
