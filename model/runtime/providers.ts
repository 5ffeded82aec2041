import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { add } from '../graph/expressions.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import { library } from './library.ts';
import { type ExecutionProvider, openSession } from './session.ts';

/** What ONNX Runtime can do on this machine. */
export interface RuntimeHere {
  readonly version: string;
  /** The library that is loaded. */
  readonly file: string;
  /** Of every provider: undefined where it computes here, else why it does not and what to do. */
  readonly refusals: Readonly<Record<ExecutionProvider, string | undefined>>;
}

export async function runtimeHere(): Promise<RuntimeHere> {
  const webgpu = webgpuRefusal();
  const { version, file } = library();
  const refusals = { cpu: await refusalOf('cpu'), cuda: await refusalOf('cuda'), webgpu: await webgpu };
  return { version, file, refusals };
}

/** Opens a model of one addition on a provider: that alone shows that its libraries and its device are there. */
export async function refusalOf(provider: ExecutionProvider): Promise<string | undefined> {
  const sum = add(createGraph().input('x', 'float32', [1]), 1);
  try {
    await (await openSession(emitModel({ sum }), { threads: 1, provider })).close();
    return undefined;
  } catch (error) {
    if (error instanceof FuseMeshError) return error.message;
    throw error;
  }
}

/** In another process: on a machine without a GPU, drivers print to stderr what they miss, and nothing stops them. */
async function webgpuRefusal(): Promise<string | undefined> {
  const child = fork(fileURLToPath(new URL('./try-webgpu.mjs', import.meta.url)), {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let answer: { readonly refusal?: string } | undefined;
  child.on('message', (message: { readonly refusal?: string }) => {
    answer = message;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (answer) return answer.refusal;
  return `Trying WebGPU ended its process (${signal ?? `exit code ${code}`}): update the GPU's driver, or use execution: cpu.`;
}
