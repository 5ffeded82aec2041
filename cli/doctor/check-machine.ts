import { availableParallelism, totalmem } from 'node:os';
import type { RuntimeHere } from '../../model/runtime/providers.ts';
import project from '../../package.json' with { type: 'json' };
import { findNatsServer } from '../../wire/nats/find-nats-server.ts';
import { isSince, oldestServer, versionOfProgram } from '../../wire/nats/server-version.ts';
import { byteSize } from '../view/words.ts';
import { spaceAt } from './disk-space.ts';
import { type Finding, lineOf, note, ok, problem } from './finding.ts';
import { findGraphicsCards, type GraphicsCards } from './graphics-cards.ts';

/** What a machine is able to do, whatever the run. */
export interface Machine {
  /** Undefined where ONNX Runtime cannot be loaded. */
  readonly runtime: RuntimeHere | undefined;
  readonly cards: GraphicsCards;
  readonly findings: readonly Finding[];
}

export async function checkMachine(): Promise<Machine> {
  const [loaded, cards, natsServer, disk] = await Promise.all([
    loadRuntime(),
    findGraphicsCards(),
    checkNatsServer(),
    checkDisk(),
  ]);
  const findings = [
    checkNode(process.versions.node, project.engines.node),
    'version' in loaded ? ok('ONNX Runtime', runtimeText(loaded)) : loaded,
    ...checkCards(cards, 'version' in loaded ? loaded.refusals.cuda : undefined),
    natsServer,
    ok(
      'memory',
      `${byteSize(process.availableMemory())} free of ${byteSize(totalmem())}; ${availableParallelism()} processor cores`,
    ),
    disk,
  ];
  return { runtime: 'version' in loaded ? loaded : undefined, cards, findings };
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

/** It has a native library, which may be there for no system but others. */
async function loadRuntime(): Promise<RuntimeHere | Finding> {
  try {
    const { runtimeHere } = await import('../../model/runtime/providers.ts');
    return await runtimeHere();
  } catch (error) {
    const advice = 'run `npm ci` on this machine; it is built for Linux with glibc, macOS and Windows';
    return problem('ONNX Runtime', `cannot be loaded (${lineOf(error)}): ${advice}`);
  }
}

function runtimeText({ version, refusals }: RuntimeHere): string {
  const providers = Object.entries(refusals).filter(([, refusal]) => refusal === undefined);
  return `${version}, computes on ${providers.map(([name]) => name).join(' and ')}`;
}

/** @param refusal why ONNX Runtime does not compute on CUDA; undefined where it does, or is not there itself */
export function checkCards(cards: GraphicsCards, refusal: string | undefined): Finding[] {
  if ('unknown' in cards) {
    return [note('GPU', `no NVIDIA GPU is known (${cards.unknown}): models compute on the processor`)];
  }
  const found = cards.map(({ name, memory, driver }, i) => {
    const size = memory
      ? `${byteSize(memory.free)} free of ${byteSize(memory.total)}`
      : 'no memory of its own';
    return ok(`GPU ${i}`, `${name}, ${size}, driver ${driver}`);
  });
  return refusal === undefined ? found : [...found, note('CUDA', refusal)];
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
