import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type CudaMajor,
  findCuda,
  librariesToPreload,
  missingLibraries,
} from '../../cli/doctor/cuda-libraries.ts';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { cudaBuildFolder, readCudaBuild } from '../../model/runtime/cuda-build.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { chooseCuda, howToInstall } from './choose-cuda.ts';
import { downloadByOwnScript, onnxRuntimeVersion } from './own-script.ts';
import { missingFor, putDown, record } from './put-down.ts';
import { downloadWheel, readWheel, unpackWheel, wheelFor, wheelVersion } from './wheel.ts';

const usage = `npm run cuda -- [--cuda 12|13] [--from FILE.whl]

Puts ONNX Runtime for NVIDIA GPUs into this project, for the CUDA that is on this machine.

--cuda 12|13  for this CUDA, without looking for a driver: for an image, or for another machine
--from FILE   a wheel of onnxruntime-gpu that is here already, so without network; for CUDA 13

The build for CUDA 13 is that of PyPI, checked by SHA-256 (a mirror: PIP_INDEX_URL). The build for CUDA 12 comes from
NuGet by onnxruntime-node's own script. CUDA and cuDNN themselves are not installed; docs/gpu.md says how.
`;

const say = (message: string): void => void process.stdout.write(`${message}\n`);

await runUntilStopped(async (signal) => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else await install(options, signal);
});

interface Options {
  readonly help: boolean;
  readonly cuda: CudaMajor | undefined;
  readonly from: string | undefined;
}

function readOptions(parameters: string[]): Options {
  const refuse = (reason: string) =>
    new FuseMeshError('invalid_argument', `${reason}: see npm run cuda -- --help`);
  try {
    const { values } = parseArgs({
      args: parameters,
      options: { help: { type: 'boolean' }, cuda: { type: 'string' }, from: { type: 'string' } },
    });
    const { help = false, cuda, from } = values;
    if (cuda !== undefined && cuda !== '12' && cuda !== '13') throw refuse(`--cuda is ${cuda}, not 12 or 13`);
    if (from !== undefined && cuda === '12') throw refuse('--from is for CUDA 13');
    return { help, cuda: cuda === undefined ? undefined : cuda === '12' ? 12 : 13, from };
  } catch (error) {
    throw error instanceof FuseMeshError ? error : refuse((error as Error).message);
  }
}

async function install({ cuda, from }: Options, signal: AbortSignal): Promise<void> {
  const here = await findCuda();
  if (process.platform !== 'linux') throw notHere('only Linux has builds of it');
  const major = cuda ?? (from === undefined ? chooseCuda(here) : 13);
  const version = await onnxRuntimeVersion();
  const preload = librariesToPreload(here, major);
  const earlier = from === undefined ? readCudaBuild() : undefined;
  const build = { version, cuda: major, preload };
  if (earlier?.version === version && earlier.cuda === major) {
    // The CUDA libraries may have moved since.
    await record(cudaBuildFolder, build);
    say(`ONNX Runtime ${version} for CUDA ${major} is there already.`);
  } else {
    const contents = major === 13 ? await fromWheel(version, from, signal) : await byOwnScript(version);
    await putDown(cudaBuildFolder, contents, build);
    say(`ONNX Runtime ${version} for CUDA ${major} is in ${cudaBuildFolder}.`);
  }
  // ldd does not know of what the provider loads when it is first used.
  const missing = new Set([
    ...(await missingFor(cudaBuildFolder, preload)),
    ...missingLibraries(here, major),
  ]);
  const withoutDriver = missing.delete('libcuda.so.1');
  if (missing.size > 0) {
    say(`Not here, and needed where it runs: ${[...missing].join(', ')}. ${howToInstall(major)}.`);
  }
  if (withoutDriver)
    say("Not here, and needed where it runs: libcuda.so.1, which comes with NVIDIA's driver.");
  if (missing.size === 0 && !withoutDriver) {
    say('All that it loads is here: set execution: cuda, and ask `npm run fusemesh -- doctor`.');
  }
}

async function fromWheel(
  version: string,
  from: string | undefined,
  signal: AbortSignal,
): Promise<Map<string, Uint8Array>> {
  const wheel = wheelFor(process.arch);
  if (!wheel) throw notHere('it is for x64 and arm64');
  if (version !== wheelVersion) {
    throw new FuseMeshError(
      'internal',
      `onnxruntime-node is ${version}, the known wheel ${wheelVersion}: run npm ci, or state the newer wheel in deploy/cuda/wheel.ts`,
    );
  }
  if (from !== undefined) return unpackWheel(wheel, await readWheel(from), from);
  const index = process.env['PIP_INDEX_URL'] || 'https://pypi.org/simple';
  say(`Downloading ${wheel.name} (${Math.round(wheel.bytes / 1e6)} MB) from ${new URL(index).host}.`);
  return unpackWheel(wheel, await downloadWheel(wheel, index, signal), basename(wheel.name));
}

async function byOwnScript(version: string): Promise<Map<string, Uint8Array>> {
  if (process.arch !== 'x64') throw notHere('that for CUDA 12 is for x64 alone: use CUDA 13');
  say(`Downloading ONNX Runtime ${version} for CUDA 12 from NuGet, by the script of onnxruntime-node.`);
  return downloadByOwnScript();
}

const notHere = (reason: string): FuseMeshError =>
  new FuseMeshError(
    'failed_precondition',
    `There is no ONNX Runtime with CUDA for ${process.platform}-${process.arch}: ${reason}.`,
  );
