import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { MemoryWatch, peakOperations } from './card.ts';

it.each([
  ['NVIDIA A100-SXM4-80GB', 312e12],
  ['NVIDIA A10', 125e12],
  ['NVIDIA H100 80GB HBM3', 989e12],
  ['NVIDIA H100 PCIe', 756e12],
  ['NVIDIA H100 NVL', 835e12],
  ['NVIDIA H200', 989e12],
  ['NVIDIA L40S', 362e12],
  ['NVIDIA L4', 121e12],
  ['NVIDIA GeForce GTX 1080', undefined],
])('the peak of %s', (card, operations) => {
  expect(peakOperations(card)).toBe(operations);
});

describe('memory of a card', () => {
  afterEach(() => vi.unstubAllEnvs());

  /** A driver's program that says these MiB, one after the other. */
  async function withDriver(...mebibytes: readonly number[]): Promise<void> {
    const directory = await temporaryDirectory();
    const lines = mebibytes.map((each) => `echo ${each}; sleep 0.1`).join('\n');
    await writeFile(join(directory, 'nvidia-smi'), `#!/bin/sh\n${lines}\nsleep 60\n`);
    await chmod(join(directory, 'nvidia-smi'), 0o755);
    vi.stubEnv('PATH', `${directory}:${process.env['PATH']}`);
  }

  it('is the most that was taken beyond what others had', async () => {
    await withDriver(512, 1536, 4608, 512);
    const watch = await MemoryWatch.start(0);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(watch.stop()).toBe(4);
  });

  it('is not known where there is no driver', async () => {
    vi.stubEnv('PATH', '/nowhere');
    const watch = await MemoryWatch.start(0);
    expect(watch.stop()).toBeUndefined();
  });
});
