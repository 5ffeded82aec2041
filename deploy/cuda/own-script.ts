import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onnxRuntimeFileName } from '../../model/runtime/cuda-build.ts';

const { resolve } = createRequire(import.meta.url);
const packageFolder = join(dirname(resolve('onnxruntime-node')), '..');
const libraryFolder = join(packageFolder, 'bin', 'napi-v6', process.platform, process.arch);

const provider = 'libonnxruntime_providers_cuda.so';
const shared = 'libonnxruntime_providers_shared.so';
const unused = 'libonnxruntime_providers_tensorrt.so';

/** Version of the package, and so of every build that we install. */
export async function onnxRuntimeVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

/**
 * Has onnxruntime-node's own script download the CUDA 12 build of its version from NuGet, and takes what it brings out
 * of the package again: `npm ci` would delete it there. ONNX Runtime itself is the one of the package.
 *
 * @returns contents by file name
 * @throws FuseMeshError unavailable when the script fails
 */
export async function downloadByOwnScript(
  script = join(packageFolder, 'script', 'install.js'),
  into = libraryFolder,
): Promise<Map<string, Uint8Array>> {
  await runScript(script);
  try {
    const names = [onnxRuntimeFileName, shared, provider];
    const contents = new Map<string, Uint8Array>();
    // One after another, so that of several missing files the first is named.
    for (const name of names) contents.set(name, await readFile(join(into, name)));
    return contents;
  } catch (cause) {
    throw new FuseMeshError(
      'unavailable',
      `${script} has ended without an error, but not brought ${(cause as NodeJS.ErrnoException).path}: ${otherwise}.`,
      { cause },
    );
  } finally {
    for (const name of [provider, shared, unused]) await rm(join(into, name), { force: true });
  }
}

async function runScript(script: string): Promise<void> {
  // In the environment of npm the script takes itself for a part of an installation, and does nothing.
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|ONNXRUNTIME_NODE_INSTALL)/i.test(name)),
  );
  // The newer --onnxruntime-node-install=cuda12 is read and forgotten by the script of 1.30.
  const child = spawn(process.execPath, [script, '--onnxruntime-node-install-cuda=v12'], {
    env: environment,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const ended = new Promise<number | null>((settle) => child.on('close', settle));
  const [errors, code] = await Promise.all([text(child.stderr), ended]);
  if (code === 0) return;
  const reason = /^\w*Error: (.*)$/m.exec(errors)?.[1] ?? `exit code ${code}`;
  throw new FuseMeshError(
    'unavailable',
    `onnxruntime-node's own script cannot bring the CUDA 12 build from NuGet (${reason}): ${otherwise}.`,
  );
}

const otherwise =
  'check the network, or install CUDA 13 with a driver for it and run `npm run cuda -- --cuda 13`';
