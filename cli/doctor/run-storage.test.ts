import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleConfig } from '../../test/support/example-config.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { bytesBelow, expectWritable, spaceAt } from './disk-space.ts';
import { judgeStorage, storageOf } from './run-storage.ts';

const config = (trainer: object) => exampleConfig({ trainer: { output: '/runs/demo', ...trainer } });

it('reckons weights and two moments for every checkpoint that can be there at once', () => {
  const parameters = { trained: 1e9, all: 1e9 };
  expect(storageOf(config({ keepCheckpoints: 2 }), parameters)).toEqual({
    checkpoint: 12e9,
    checkpoints: 3,
    total: 40e9,
  });
  expect(storageOf(config({ evaluateEvery: 5 }), { trained: 1e6, all: 1e9 })).toMatchObject({
    checkpoints: 4,
    total: 4 * 12e6 + 4e9,
  });
});

it('compares with what is free, and what is replaced', () => {
  const storage = { checkpoint: 12e9, checkpoints: 3, total: 40e9 };
  const judged = (free: number, there = 0) =>
    judgeStorage(config({}), storage, there, { path: '/runs', free, total: 100e9 });
  expect(judged(41e9).verdict).toBe('ok');
  expect(judged(10e9, 36e9).verdict).toBe('ok');
  expect(judged(39e9)).toMatchObject({
    verdict: 'problem',
    text: expect.stringMatching(
      /39\.0 GB are free at \/runs: make room, lower trainer\.keepCheckpoints \(2\)/,
    ),
  });
});

it('looks at the nearest folder that is there', async () => {
  const directory = await temporaryDirectory();
  const deep = join(directory, 'a', 'b', 'c');
  const space = await spaceAt(deep);
  expect(space.path).toBe(directory);
  expect(space.free).toBeGreaterThan(0);
  expect(space.total).toBeGreaterThanOrEqual(space.free);
  await expectWritable('trainer.output', deep);

  expect(await bytesBelow(deep)).toBe(0);
  await mkdir(deep, { recursive: true });
  await writeFile(join(deep, 'x'), 'four');
  await writeFile(join(directory, 'y'), 'five5');
  expect(await bytesBelow(directory)).toBe(9);
});

it.skipIf(process.getuid?.() === 0)('refuses a folder that may not be written', async () => {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o500);
  await expect(expectWritable('trainer.output', join(directory, 'runs'))).rejects.toThrow(
    /^trainer\.output: nothing can be written in .*: change its permissions/,
  );
  await chmod(directory, 0o700);
});
