import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import {
  type CudaHere,
  findCuda,
  hasDriver,
  librariesToPreload,
  missingLibraries,
  parseDriver,
  parseLinkerCache,
  usableCuda,
  wantedCuda,
} from './cuda-libraries.ts';

it('reads the newest CUDA of a driver from the head of nvidia-smi', () => {
  const head = '| NVIDIA-SMI 580.65.06   Driver Version: 580.65.06   CUDA Version: 13.0     |';
  expect(parseDriver(head)).toBe('13.0');
  expect(parseDriver(head.replace('CUDA Version', 'CUDA UMD Version'))).toBe('13.0');
  expect(parseDriver('NVIDIA-SMI has failed')).toBeUndefined();
});

it('reads the cache of the dynamic linker, for its own processor', () => {
  const cache = [
    "3 libs found in cache `/etc/ld.so.cache'",
    '\tlibcudart.so.13 (libc6,x86-64) => /usr/local/cuda-13.0/lib/libcudart.so.13',
    '\tlibcudart.so.12 (libc6) => /usr/lib32/libcudart.so.12',
    '\tlibcudart.so.12 (libc6,AArch64) => /usr/lib/libcudart.so.12',
  ].join('\n');
  expect(parseLinkerCache(cache, 'x64')).toEqual([
    ['libcudart.so.13', '/usr/local/cuda-13.0/lib/libcudart.so.13'],
  ]);
  expect(parseLinkerCache(cache, 'arm64')).toEqual([['libcudart.so.12', '/usr/lib/libcudart.so.12']]);
});

const namesOf = (major: number) => [
  ...['cudart', 'nvrtc', 'cublasLt', 'cublas'].map((name) => `lib${name}.so.${major}`),
  ...['libcurand.so.10', 'libcudnn.so.9'],
];
const here = (driver: string | undefined, names: readonly string[]): CudaHere => ({
  driver,
  libraries: new Map(names.map((name) => [name, { path: `/lib/${name}`, isLinked: true }])),
});

it('chooses the newer of two complete CUDAs that the driver supports', () => {
  const both = [...namesOf(12), ...namesOf(13)];
  expect(usableCuda(here('13.0', both))).toBe(13);
  expect(usableCuda(here('12.4', both))).toBe(12);
  expect(usableCuda(here(undefined, both))).toBe(13);
  expect(usableCuda(here('11.8', both))).toBeUndefined();
  expect(usableCuda(here('13.0', namesOf(12)))).toBe(12);
  expect(wantedCuda(here('13.0', []))).toBe(13);
  expect(wantedCuda(here('11.8', []))).toBeUndefined();
  expect(missingLibraries(here('13.0', namesOf(12)), 13)).toEqual(namesOf(13).slice(0, 4));
  expect(hasDriver(here(undefined, namesOf(13)))).toBe(false);
  expect(hasDriver(here(undefined, ['libcuda.so.1']))).toBe(true);
});

it('looks where the linker looks, and into the packages of pip and conda, whose files are to be loaded first', async () => {
  const directory = await temporaryDirectory();
  const put = async (path: string, content = '') => {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), content);
    return join(directory, path);
  };
  const program = async (name: string, script: string) =>
    chmod(await put(`bin/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
  await program('nvidia-smi', 'echo "| NVIDIA-SMI 580 CUDA Version: 13.0 |"');
  await program('ldconfig', 'echo "\tlibcudnn.so.9 (libc6,x86-64,AArch64) => /usr/lib/libcudnn.so.9"');
  await program('python3', `echo; echo ${join(directory, 'site-packages')}`);
  await put('linked/libcublas.so.13');
  const runtime = await put('site-packages/nvidia/cu13/lib/libcudart.so.13');
  await put('site-packages/nvidia/cu13/lib/libcublas.so.13');
  const random = await put('conda/lib/libcurand.so.10');
  const found = await findCuda({
    PATH: `${join(directory, 'bin')}:/bin`,
    LD_LIBRARY_PATH: join(directory, 'linked'),
    CONDA_PREFIX: join(directory, 'conda'),
  });
  expect(found.driver).toBe('13.0');
  expect(found.libraries.get('libcublas.so.13')?.isLinked).toBe(true);
  expect(found.libraries.get('libcudnn.so.9')).toEqual({ path: '/usr/lib/libcudnn.so.9', isLinked: true });
  expect(librariesToPreload(found, 13)).toEqual(expect.arrayContaining([runtime, random]));
  expect(librariesToPreload(found, 13)).not.toContain('libcublas.so.13');
});
