import type { Dialect } from '../model/onnx/emit.ts';
import type { Execution } from './engine-options.ts';

/** How the engine's graphs are written for what computes them. */
export function dialectOf({ provider, precision }: Execution): Dialect {
  if (precision !== 'float32') return precision;
  return provider === 'webgpu' ? 'webgpu' : 'onnxruntime';
}
