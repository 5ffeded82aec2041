import { describe, expect, it } from 'vitest';
import { TrainerState } from '../mesh/generated/fusemesh/v1/trainer_pb.ts';
import { Change } from './change.ts';
import { RunStatus } from './run-status.ts';
import type { StepReport } from './step-report.ts';

const step = (number: number) => ({ step: number }) as StepReport;

async function numbers(steps: AsyncIterable<StepReport>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { step } of steps) seen.push(step);
  return seen;
}

describe('RunStatus.watchSteps', () => {
  it('gives the last step, then every further one in order, and ends with the run', async () => {
    const status = new RunStatus('demo', new Change());
    status.step(step(1));
    status.step(step(2));
    const seen = numbers(status.watchSteps(new AbortController().signal));
    await new Promise(setImmediate);
    for (const number of [3, 4, 5]) status.step(step(number));
    status.end(TrainerState.FINISHED);
    expect(await seen).toEqual([2, 3, 4, 5]);
  });

  it('ends at once when the watcher goes away', async () => {
    const status = new RunStatus('demo', new Change());
    const watcher = new AbortController();
    const seen = numbers(status.watchSteps(watcher.signal));
    await new Promise(setImmediate);
    watcher.abort();
    expect(await seen).toEqual([]);
  });
});
