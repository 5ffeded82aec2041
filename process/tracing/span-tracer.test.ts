import { expect, it } from 'vitest';
import { wallClock } from './span-tracer.ts';

it('keeps differences exact, and follows a wall clock that has gone another way', () => {
  let setTo = 0;
  const atWall = wallClock(() => Date.now() + setTo);
  const first = atWall(1000);
  expect(first).toBe(performance.timeOrigin + 1000);
  expect(atWall(1000.25) - first).toBeCloseTo(0.25, 3);
  setTo = 60_000;
  expect(Math.abs(atWall(1000) - first - 60_000)).toBeLessThan(10);
});
