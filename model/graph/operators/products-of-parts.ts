import { microsoft, type Named, type OnnxWriter } from '../onnx-writer.ts';
import type { HalfOperands } from '../tensor-type.ts';

/** What a product of matrices may do besides. */
interface ProductForm {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly alpha?: number;
}

/** Writes alpha · A·B of factors of four axes; returns the name of the result. */
export type Multiply = (onnx: OnnxWriter, a: Named, b: Named, form?: ProductForm) => string;

export const standardProduct: Multiply = (onnx, a, b, { transposeA, transposeB, alpha } = {}) => {
  const transposed = (factor: Named) => onnx.add('Transpose', [factor], { perm: [0, 1, 3, 2] });
  const factors = [transposeA ? transposed(a) : a, transposeB ? transposed(b) : b];
  const result = onnx.add('MatMul', factors);
  return alpha === undefined ? result : onnx.add('Mul', [result, onnx.float(alpha)]);
};

/** For WebGPU, where a factor of scores is scaled, and not the scores, which are larger. */
export const webgpuProduct: Multiply = (onnx, a, b, { alpha, ...form } = {}) =>
  alpha === undefined || !form.transposeB
    ? standardProduct(onnx, a, b, { ...form, ...(alpha === undefined ? {} : { alpha }) })
    : standardProduct(onnx, onnx.add('Mul', [a, onnx.float(alpha)]), b, form);

export const fusedProduct: Multiply = (
  onnx,
  a,
  b,
  { transposeA = false, transposeB = false, alpha = 1 } = {},
) => {
  const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: alpha } };
  return onnx.add('FusedMatMul', [a, b], attributes, undefined, microsoft);
};

/** A factor in 16 bits, or what 16 bits leave of it. */
export function halved(onnx: OnnxWriter, factor: Named, operands: HalfOperands): string {
  const elementType = operands === 'float16' || operands === 'rounded-float16' ? 'float16' : 'bfloat16';
  const half = onnx.add('Cast', [factor], { to: { elementType } });
  return operands === elementType ? half : onnx.add('Cast', [half], { to: { elementType: 'float32' } });
}

/** With factors rounded to 16 bits. */
export const halfProduct =
  (operands: HalfOperands): Multiply =>
  (onnx, a, b, form) => {
    const [left, right] = [a, b].map((factor) => halved(onnx, factor, operands));
    return onnx.add('Cast', [fusedProduct(onnx, left, right, form)], { to: { elementType: 'float32' } });
  };
