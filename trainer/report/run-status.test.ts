import { expect, it } from 'vitest';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { createLog } from '../../process/log/log.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { Intake } from '../intake/intake.ts';
import { TrainerMetrics } from './metrics.ts';
import { RunRecord } from './run-record.ts';
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
    skipped: true,
    chosen: [],
    time: {},
    without: {},
  }) as unknown as StepReport;
const target = {} as Tokenizer;
const batch = { batch: undefined as never, last: undefined };

function begun() {
  const notifier = new Notifier();
  const control = new TrainingControl(notifier);
  const metrics = new TrainerMetrics(createRegister({ run: 'demo' }), () => {
    throw new Error('nobody scrapes');
  });
  const intake = new Intake([], metrics);
  const log = createLog('test', { level: 'silent' });
  const record = new RunRecord({ metrics, notifier, log, sourceRates: () => ({}) });
  return { control, record, status: new RunStatus('demo', { control, record, intake }) };
}

it('derives the state from what is done and asked, paused only while it would train', () => {
  const { control, record, status } = begun();
  expect(status.stateName).toBe('starting');
  control.pause();
  expect(status.stateName).toBe('starting');
  record.begin();
  expect(status.stateName).toBe('paused');
  control.resume();
  expect(status.stateName).toBe('training');
  record.end('failed');
  expect(status.stateName).toBe('failed');
});

it('stays where it was when it is stopped', () => {
  const { record, status } = begun();
  record.begin();
  record.end('stopped');
  expect(status.stateName).toBe('training');
});

it('estimates the time left from the steps of this process, and from no pause', () => {
  const { record, status } = begun();
  record.plan({ steps: 110, documents: 440 });
  expect(status.secondsLeft).toBeUndefined();
  record.begin();
  expect(status.secondsLeft).toBeUndefined();
  record.time.add({ wait: 3, compute: 1 });
  record.step(step(9), batch, target);
  record.step(step(10), batch, target);
  expect(status.secondsLeft).toBe(200);
  expect(statusMessage(status)).toMatchObject({ secondsLeft: 200, stepsTotal: 110n });
  record.end('finished');
  expect(status.secondsLeft).toBeUndefined();
  expect(statusMessage(status).secondsLeft).toBeUndefined();
});
