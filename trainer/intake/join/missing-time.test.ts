import { afterEach, expect, it, vi } from 'vitest';
import { MissingTime } from './missing-time.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('gives each the time that it was missing for, alone or with others', () => {
  vi.useFakeTimers();
  const waited: Record<string, number> = {};
  const time = new MissingTime((who, seconds) => {
    waited[who] = (waited[who] ?? 0) + seconds;
  });
  const pass = (missing: string[], milliseconds: number) => {
    time.now(missing);
    vi.advanceTimersByTime(milliseconds);
  };
  pass([], 10_000);
  pass(['feeder', 'orator'], 1_000);
  pass(['orator'], 500);
  pass([], 10_000);
  pass(['novelist'], 250);
  pass([], 10_000);
  expect(waited).toEqual({ feeder: 1, orator: 1.5, novelist: 0.25 });
});
