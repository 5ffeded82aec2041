import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { findGraphicsCards, parseGraphicsCards } from './graphics-cards.ts';

it('reads what nvidia-smi prints, also of a GPU that shares the memory of its machine', () => {
  const csv =
    'NVIDIA A100-SXM4-80GB, 81920, 81000, 535.161.08, 8.0\nNVIDIA GB10, [N/A], [N/A], 580.95.05, [N/A]\n';
  expect(parseGraphicsCards(csv)).toEqual([
    {
      name: 'NVIDIA A100-SXM4-80GB',
      driver: '535.161.08',
      memory: { total: 81920 * 2 ** 20, free: 81000 * 2 ** 20 },
      computeCapability: '8.0',
    },
    { name: 'NVIDIA GB10', driver: '580.95.05', memory: undefined, computeCapability: undefined },
  ]);
  expect(parseGraphicsCards('')).toEqual([]);
  expect(parseGraphicsCards('No devices were found\n')).toEqual([]);
});

it('asks the nvidia-smi on the PATH, and says why it knows of none', async () => {
  const directory = await temporaryDirectory();
  vi.stubEnv('PATH', directory);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await findGraphicsCards()).toEqual({ unknown: 'nvidia-smi is not installed' });

  const program = join(directory, 'nvidia-smi');
  const install = async (script: string) => {
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o755);
  };
  await install('echo "NVIDIA H100 80GB HBM3, 81559, 81000, 550.54.15, 9.0"');
  expect(await findGraphicsCards()).toMatchObject([{ name: 'NVIDIA H100 80GB HBM3', driver: '550.54.15' }]);
  await install('echo "NVIDIA-SMI has failed: it could not communicate with the driver"; exit 9');
  expect(await findGraphicsCards()).toEqual({
    unknown: 'nvidia-smi fails: NVIDIA-SMI has failed: it could not communicate with the driver',
  });
  await install('exit 0');
  expect(await findGraphicsCards()).toEqual({ unknown: 'nvidia-smi lists none' });
});
