import { expect, test } from 'vitest';
import { RateMeter } from './rate-meter.ts';

test('counts over the time since the start while that is shorter than the window', () => {
  let now = 100;
  const meter = new RateMeter(3, () => now);
  expect(meter.perSecond()).toBe(0);
  now = 101;
  meter.add(50);
  expect(meter.perSecond()).toBe(50);
  now = 102;
  expect(meter.perSecond()).toBe(25);
});

test('forgets what is older than the window', () => {
  let now = 0;
  const meter = new RateMeter(3, () => now);
  now = 10;
  meter.add(30);
  now = 12;
  meter.add(60);
  expect(meter.perSecond()).toBe(30);
  now = 13.5;
  expect(meter.perSecond()).toBe(20);
  now = 20;
  expect(meter.perSecond()).toBe(0);
});
