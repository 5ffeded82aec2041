import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WaitClock } from './wait-clock.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
});

function countingClock() {
  const counted = { seconds: 0 };
  const clock = new WaitClock((more) => {
    counted.seconds += more;
  });
  return { clock, counted };
}

it('counts while the time goes by, and every moment once', () => {
  const { clock, counted } = countingClock();
  clock.begin();
  vi.advanceTimersByTime(2_500);
  expect(counted.seconds).toBeCloseTo(2);
  clock.end();
  expect(counted.seconds).toBeCloseTo(2.5);
  vi.advanceTimersByTime(5_000);
  expect(counted.seconds).toBeCloseTo(2.5);
});

it('counts the time of several who wait at once only once', () => {
  const { clock, counted } = countingClock();
  clock.begin();
  vi.advanceTimersByTime(500);
  clock.begin();
  vi.advanceTimersByTime(500);
  clock.end();
  expect(clock.waiting).toBe(true);
  vi.advanceTimersByTime(500);
  clock.end();
  expect(clock.waiting).toBe(false);
  expect(counted.seconds).toBeCloseTo(1.5);
});
