import type { Dialect } from '../onnx/emit.ts';
import type { ExecutionProvider } from './placement.ts';

/**
 * How graphs are written for what computes them.
 *
 * @param precision of the operands of matrix products
 */
export function dialectOf({
  provider = 'cpu',
  precision = 'float32',
}: {
  readonly provider?: ExecutionProvider;
  readonly precision?: 'float32' | 'float16' | 'bfloat16';
}): Dialect {
  if (precision !== 'float32') return precision;
  return provider === 'webgpu' ? 'webgpu' : 'onnxruntime';
}
