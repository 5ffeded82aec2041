import type { Shape } from './shape.ts';

export type ElementType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'bool';

/** In 16 bits. */
export type Half = 'float16' | 'bfloat16';

/** Of products of matrices: in 16 bits, or rounded to them and in float32 again, where there is no kernel for 16 bits. */
export type HalfOperands = Half | `rounded-${Half}`;

/** What is known of a tensor before the graph runs. */
export interface TensorType {
  readonly elementType: ElementType;
  readonly shape: Shape;
}

export const bytesPerElement: Readonly<Record<ElementType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  bool: 1,
};
