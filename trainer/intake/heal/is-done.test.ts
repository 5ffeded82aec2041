import { expect, it } from 'vitest';
import type { RunState } from '../../../wire/nats/run-streams.ts';
import { isDone } from './is-done.ts';

const state = (lag: Partial<RunState['lags'][number]>): RunState => ({
  streams: [],
  lags: [{ teacher: 'orator', documents: 3, redelivered: 0, doneUpTo: 7, ...lag }],
});

it('is what was acknowledged, and everything where nothing is left to do', () => {
  expect([6, 7, 8].map((position) => isDone(state({}), 'orator', position))).toEqual([true, true, false]);
  expect(isDone(state({ documents: 0 }), 'orator', 8)).toBe(true);
  expect(isDone(state({ documents: 0 }), 'orator', undefined)).toBe(true);
});

it('is nothing that is not known', () => {
  expect(isDone(undefined, 'orator', 1)).toBe(false);
  expect(isDone(state({}), 'novelist', 1)).toBe(false);
  expect(isDone(state({}), 'orator', undefined)).toBe(false);
});
