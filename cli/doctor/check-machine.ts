import { availableParallelism, totalmem } from 'node:os';
import { type CudaBuild, readCudaBuild } from '../../model/runtime/cuda-build.ts';
import { findGraphicsCards, type GraphicsCards } from '../../model/runtime/graphics-cards.ts';
import type { RuntimeHere } from '../../model/runtime/providers.ts';
import type { ExecutionProvider } from '../../model/runtime/session.ts';
import project from '../../package.json' with { type: 'json' };
import { findNatsServer } from '../../wire/nats/find-nats-server.ts';
import { isSince, oldestServer, versionOfProgram } from '../../wire/nats/server-version.ts';
import { byteSize } from '../view/words.ts';
import { findCuda } from './cuda-libraries.ts';
import { type CudaState, checkCudaLibraries, whatCudaLacks } from './cuda-state.ts';
import { spaceAt } from './disk-space.ts';
import { type Finding, lineOf, note, ok, problem } from './finding.ts';
import { loadRuntime } from './load-runtime.ts';

/** What a machine is able to do, whatever the run. */
export interface Machine extends CudaState {
  /** Undefined where ONNX Runtime cannot be loaded. */
  readonly runtime: RuntimeHere | undefined;
  readonly cards: GraphicsCards;
  readonly findings: readonly Finding[];
}

export async function checkMachine(): Promise<Machine> {
  const [loaded, cards, cuda, natsServer, disk] = await Promise.all([
    loadRuntime(),
    findGraphicsCards(),
    findCuda(),
    checkNatsServer(),
    checkDisk(),
  ]);
  const runtime = 'version' in loaded ? loaded : undefined;
  const machine = { runtime, cards, cuda, cudaBuild: usableBuild() };
  const findings = [
    checkNode(process.versions.node, project.engines.node),
    'version' in loaded ? ok('ONNX Runtime', runtimeText(loaded)) : loaded,
    ...checkCards(cards),
    ...checkCudaLibraries(machine),
    ...checkProviders(machine),
    natsServer,
    ok(
      'memory',
      `${byteSize(process.availableMemory())} free of ${byteSize(totalmem())}; ${availableParallelism()} processor cores`,
    ),
    disk,
  ];
  return { ...machine, findings };
}

/** @param wanted as package.json has it: ">=20.20" */
export function checkNode(version: string, wanted: string): Finding {
  const [least, here] = [wanted, version].map((text) => /(\d+)\.(\d+)/.exec(text)!.slice(1).map(Number));
  const isEnough = here[0] > least[0] || (here[0] === least[0] && here[1] >= least[1]);
  const text = `${version} for ${process.platform}-${process.arch}`;
  return isEnough
    ? ok('Node.js', text)
    : problem('Node.js', `${text}: install ${least.join('.')} or newer (https://nodejs.org)`);
}

export function runtimeText({ version, file, refusals }: RuntimeHere): string {
  const providers = Object.entries(refusals).filter(([, refusal]) => refusal === undefined);
  return `${version} at ${file}, computes on ${providers.map(([name]) => name).join(' and ')}`;
}

export function checkCards(cards: GraphicsCards): Finding[] {
  if ('unknown' in cards) {
    return [note('GPU', `no NVIDIA GPU is known (${cards.unknown}): models compute on the processor`)];
  }
  return cards.map(({ name, memory, driver, computeCapability }, i) => {
    const size = memory
      ? `${byteSize(memory.free)} free of ${byteSize(memory.total)}`
      : 'no memory of its own';
    const able = computeCapability === undefined ? '' : `, compute capability ${computeCapability}`;
    return ok(`GPU ${i}`, `${name}, ${size}, driver ${driver}${able}`);
  });
}

/** Why providers other than the processor do not compute here. That CUDA does not is no news without a GPU. */
export function checkProviders(machine: Omit<Machine, 'findings'>): Finding[] {
  const providers = Object.keys(machine.runtime?.refusals ?? {}) as ExecutionProvider[];
  const shown = providers.filter(
    (name) => name !== 'cpu' && !(name === 'cuda' && 'unknown' in machine.cards),
  );
  return shown.flatMap((name) => {
    const refusal = refusalOf(name, machine);
    return refusal === undefined ? [] : [note(titles[name] ?? name, refusal)];
  });
}

const titles: Readonly<Record<string, string>> = { cuda: 'CUDA', webgpu: 'WebGPU' };

/** Why a provider does not compute here and what to do; undefined where it does. */
export function refusalOf(
  provider: ExecutionProvider,
  { runtime, ...state }: Pick<Machine, 'runtime' | 'cuda' | 'cudaBuild'>,
): string | undefined {
  const refusal = runtime?.refusals[provider];
  if (refusal === undefined || provider !== 'cuda' || process.env['FUSEMESH_ONNXRUNTIME']) return refusal;
  return whatCudaLacks(state) ?? refusal;
}

/** One that cannot be read is none: `npm run cuda` replaces it. */
function usableBuild(): CudaBuild | undefined {
  try {
    return readCudaBuild();
  } catch {
    return undefined;
  }
}

/** None is no problem where a server runs elsewhere. */
async function checkNatsServer(): Promise<Finding> {
  try {
    const program = await findNatsServer();
    return judgeServerProgram(program, await versionOfProgram(program));
  } catch (error) {
    return note('nats-server', lineOf(error));
  }
}

function judgeServerProgram(program: string, version: string): Finding {
  const text = `${version.replace(/^nats-server: v/, '')} at ${program}`;
  return isSince(version, oldestServer)
    ? ok('nats-server', text)
    : note('nats-server', `${text} is too old for a run: install ${oldestServer.join('.')} or newer`);
}

async function checkDisk(): Promise<Finding> {
  const { free, total, path } = await spaceAt(process.cwd());
  return ok('disk', `${byteSize(free)} free of ${byteSize(total)} at ${path}`);
}
