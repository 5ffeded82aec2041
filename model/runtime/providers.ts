// Before the library: it reads the environment.
import './no-telemetry.ts';
import { env } from 'onnxruntime-node';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { add } from '../graph/expressions.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import { type ExecutionProvider, openSession } from './session.ts';

/** What ONNX Runtime can do on this machine. */
export interface RuntimeHere {
  readonly version: string;
  /** Of every provider: undefined where it computes here, else why it does not and what to do. */
  readonly refusals: Readonly<Record<ExecutionProvider, string | undefined>>;
}

/** Opens a model of one addition on every provider: that alone shows that its libraries and its device are there. */
export async function runtimeHere(): Promise<RuntimeHere> {
  // A missing library is an answer here, and no error that ONNX Runtime has to print.
  env.logLevel = 'fatal';
  const sum = add(createGraph().input('x', 'float32', [1]), 1);
  const model = emitModel({ sum });
  const refusal = async (provider: ExecutionProvider): Promise<string | undefined> => {
    try {
      await (await openSession(model, { threads: 1, provider })).close();
      return undefined;
    } catch (error) {
      if (error instanceof FuseMeshError) return error.message;
      throw error;
    }
  };
  return {
    version: env.versions.node ?? env.versions.common,
    refusals: { cpu: await refusal('cpu'), cuda: await refusal('cuda'), webgpu: await refusal('webgpu') },
  };
}
