import type { Half } from '../graph/tensor-type.ts';
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
  readonly precision?: 'float32' | Half;
}): Dialect {
  // Kernels of products in 16 bits are CUDA's alone.
  if (precision !== 'float32') return provider === 'cuda' ? precision : `rounded-${precision}`;
  return provider === 'webgpu' ? 'webgpu' : 'onnxruntime';
}
