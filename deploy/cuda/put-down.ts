import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onDisk } from '../../errors/on-disk.ts';
import { publishDirectory, replaceDurably, writeDurably } from '../../model/export/durable-files.ts';
import { type CudaBuild, cudaBuildRecordName } from '../../model/runtime/cuda-build.ts';

/**
 * Puts a build of ONNX Runtime down in one step, in the place of an earlier one. A process that runs on that keeps it.
 *
 * @param contents of its libraries by file name
 * @throws FuseMeshError resource_exhausted when the disk is full
 */
export async function putDown(
  folder: string,
  contents: ReadonlyMap<string, Uint8Array>,
  build: CudaBuild,
): Promise<void> {
  await onDisk(folder, async () => {
    const unfinished = `${folder}-unfinished-${process.pid}`;
    await mkdir(unfinished, { recursive: true });
    try {
      for (const [name, bytes] of contents) await writeDurably(join(unfinished, name), bytes);
      await record(unfinished, build);
      await publishDirectory(unfinished, folder);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  });
}

/** Writes down what a folder holds, in the place of what it said before. */
export const record = (folder: string, build: CudaBuild): Promise<void> =>
  onDisk(folder, () =>
    replaceDurably(join(folder, cudaBuildRecordName), `${JSON.stringify(build, null, 2)}\n`),
  );

/**
 * What the CUDA provider of a build would not find when it is loaded.
 *
 * @param preloaded files that are loaded before it
 * @returns names of libraries; none where `ldd` is missing
 */
export async function missingFor(folder: string, preloaded: readonly string[]): Promise<string[]> {
  const provider = join(folder, 'libonnxruntime_providers_cuda.so');
  const LD_LIBRARY_PATH = [...preloaded.map(dirname), process.env['LD_LIBRARY_PATH']]
    .filter(Boolean)
    .join(':');
  const output = await promisify(execFile)('ldd', [provider], {
    env: { ...process.env, LD_LIBRARY_PATH },
  }).catch(() => ({ stdout: '' }));
  return [...output.stdout.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name);
}
