import { expect, it } from 'vitest';
import { backoff } from './backoff.ts';
import { RequestWindow } from './request-window.ts';

it('is halved once for all that were sent before, down to 8, and grows by one a round', () => {
  const window = new RequestWindow(32);
  const leave = Array.from({ length: 32 }, () => window.enter());
  expect(window.hasRoom).toBe(false);
  for (const end of leave) end('overload');
  expect([window.size, window.inHand]).toEqual([16, 0]);
  window.enter()('overload');
  window.enter()('overload');
  expect(window.size).toBe(8);
  window.enter()('other');
  expect(window.size).toBe(8);
  for (let i = 0; i < 9; i++) window.enter()('good');
  expect(window.size).toBe(9);
  for (let i = 0; i < 2_000; i++) window.enter()('good');
  expect(window.size).toBe(32);
});

it('is never larger than what is allowed', () => {
  const window = new RequestWindow(3);
  window.enter()('overload');
  expect(window.size).toBe(3);
});

it('waits twice as long each time, up to ten seconds', () => {
  expect([1, 2, 3, 4].map((tries) => backoff(tries, 1))).toEqual([250, 500, 1000, 2000]);
  expect(backoff(50, 1)).toBe(10_000);
  expect(backoff(1, 0)).toBe(125);
});
