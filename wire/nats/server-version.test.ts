import { expect, it } from 'vitest';
import { findNatsServer } from './find-nats-server.ts';
import { isSince, oldestServer, versionOfProgram } from './server-version.ts';

it.each([
  ['2.9.0', true],
  ['nats-server: v2.10.4', true],
  ['nats-server: v3.0.0-beta.1', true],
  ['2.8.9', false],
  ['1.10.0', false],
  ['', false],
])('knows whether %s is 2.9 or newer: %s', (version, isNewer) => {
  expect(isSince(version, [2, 9])).toBe(isNewer);
});

it('looks at the last number where it is wanted', () => {
  expect(['2.9.14', '2.9.15', '2.10.0', '2.9'].map((version) => isSince(version, [2, 9, 15]))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

it('asks a program', async () => {
  const version = await versionOfProgram(await findNatsServer());
  expect(version).toMatch(/^nats-server: v\d+\.\d+/);
  expect(isSince(version, oldestServer)).toBe(true);
});
