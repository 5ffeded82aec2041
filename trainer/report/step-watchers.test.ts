import { describe, expect, it } from 'vitest';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import type { StepReport } from './step-report.ts';
import { StepWatchers } from './step-watchers.ts';

const step = (number: number) => ({ step: number }) as StepReport;

async function numbers(steps: AsyncIterable<StepReport>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { step } of steps) seen.push(step);
  return seen;
}

describe('StepWatchers', () => {
  it('gives the last step, then every further one in order, and ends with the run', async () => {
    const watchers = new StepWatchers(new Notifier());
    watchers.step(step(1));
    watchers.step(step(2));
    const seen = numbers(watchers.watch(new AbortController().signal));
    await new Promise(setImmediate);
    for (const number of [3, 4, 5]) watchers.step(step(number));
    watchers.end();
    expect(await seen).toEqual([2, 3, 4, 5]);
  });

  it('ends at once when the watcher goes away', async () => {
    const watchers = new StepWatchers(new Notifier());
    const watcher = new AbortController();
    const seen = numbers(watchers.watch(watcher.signal));
    await new Promise(setImmediate);
    watcher.abort();
    expect(await seen).toEqual([]);
  });
});
