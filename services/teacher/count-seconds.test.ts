import { afterEach, expect, it, vi } from 'vitest';
import { countSeconds } from './count-seconds.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('counts while the time goes by, and every moment once', () => {
  vi.useFakeTimers();
  let seconds = 0;
  const stop = countSeconds((more) => {
    seconds += more;
  });
  vi.advanceTimersByTime(2_500);
  expect(seconds).toBeCloseTo(2);
  stop();
  expect(seconds).toBeCloseTo(2.5);
  vi.advanceTimersByTime(5_000);
  expect(seconds).toBeCloseTo(2.5);
});
