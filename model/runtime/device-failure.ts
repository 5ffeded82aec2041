import { type ErrorCode, FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ExecutionProvider } from './placement.ts';

interface Failure {
  /** In what ONNX Runtime says. */
  readonly sign: RegExp;
  readonly code: ErrorCode;
  readonly what: string;
  readonly remedy: string;
}

const again = 'run the same command again, and a run goes on from its checkpoint';

/** What befalls devices. The first whose sign fits counts. */
const failures: readonly Failure[] = [
  {
    // WebGPU gives a buffer for which there is no memory, and refuses to use it.
    sign: /out.of.(\w+.)?memory|ALLOC_FAILED|failed to allocate|smaller than requested|Invalid Buffer|Too many storage buffers/i,
    code: 'resource_exhausted',
    what: 'has too little memory',
    remedy: `lower trainer.tokensAtOnce or set trainer.recompute, lower a teacher's batchDocuments, or use execution: cpu; then ${again}`,
  },
  {
    sign: /requires f16 but the device does not/i,
    code: 'failed_precondition',
    what: 'does not compute in float16, which this model needs',
    remedy: 'use execution: cpu',
  },
  {
    sign: /device.{0,40}lost|CUDA failure|CUDA error|CUBLAS|CUDNN/i,
    code: 'unavailable',
    what: 'has failed',
    remedy: `${again}, on it or with execution: cpu; where it stays so, restart the machine or its driver`,
  },
];

/** What a device's failure means and what to do about it, in one line; errors of another kind as they are. */
export function deviceFailure(error: unknown, provider: ExecutionProvider = 'cpu'): unknown {
  if (provider === 'cpu' || !(error instanceof FuseMeshError) || error.code !== 'internal') return error;
  const failure = failures.find(({ sign }) => sign.test(error.message));
  if (!failure) return error;
  const { message } = error;
  const said = message.length > longestReason ? `${message.slice(0, longestReason)}…` : message;
  return new FuseMeshError(failure.code, `The GPU ${failure.what} (${said}): ${failure.remedy}.`, {
    cause: error,
  });
}

/** ONNX Runtime tells of CUDA's failures with a trace of its own functions. */
const longestReason = 300;
