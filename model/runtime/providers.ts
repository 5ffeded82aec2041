import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { add } from '../graph/expressions.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import { library } from './library.ts';
import type { ExecutionProvider } from './placement.ts';
import { openSession } from './session.ts';

/** What ONNX Runtime can do on this machine. */
export interface RuntimeHere {
  readonly version: string;
  /** The library that is loaded. */
  readonly file: string;
  /** Of every provider: undefined where it computes here, else why it does not and what to do. */
  readonly refusals: Readonly<Record<ExecutionProvider, string | undefined>>;
}

export async function runtimeHere(): Promise<RuntimeHere> {
  const { version, file } = library();
  const refusals = {
    cpu: await refusalOf('cpu'),
    cuda: await refusalOf('cuda'),
    webgpu: await refusalOf('webgpu'),
  };
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
