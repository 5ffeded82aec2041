import { matmul, mul, reshape, sub, sum } from '../expressions.ts';
import type { Node, OperatorTable, Value } from '../graph.ts';
import { microsoft, type Named, type OnnxWriter } from '../onnx-writer.ts';
import { broadcastShapes, elementCount, product, type Shape, sameShape } from '../shape.ts';
import type { ParametersOf } from '../signatures.ts';
import type { HalfOperands, TensorType } from '../tensor-type.ts';
import { unbroadcast } from './cotangents.ts';
import { halved } from './products-of-parts.ts';
import { expectType, refuse } from './refusals.ts';
import { writtenAs } from './written-as.ts';

type Product = 'MatMul' | 'MatMulAdd';

const rows = (shape: Shape, transposed: boolean) => shape[shape.length - (transposed ? 1 : 2)];
const columns = (shape: Shape, transposed: boolean) => shape[shape.length - (transposed ? 2 : 1)];
/** [a, b, c, d] → [a·b·c, d]. */
const flattenRows = (x: Value): Value => reshape(x, [product(x.shape.slice(0, -1)), x.shape.at(-1)!]);

/** Transpositions and factor, as ONNX and ONNX Runtime take them. */
const productAttributes = ({ transposeA, transposeB, alpha }: ParametersOf<Product>) => ({
  transA: Number(transposeA),
  transB: Number(transposeB),
  alpha: { float: alpha },
});

type Factor = Pick<Value, 'name' | 'shape'>;

/** Writes a product in the standard's operators. */
function writeProduct(
  onnx: OnnxWriter,
  [a, b]: readonly [Factor, Factor],
  { transposeA, transposeB, alpha }: ParametersOf<Product>,
  y: Value,
): void {
  const transposed = (factor: Factor) => {
    const axes = factor.shape.map((_, axis) => axis);
    return onnx.add('Transpose', [factor], { perm: [...axes.slice(0, -2), ...axes.slice(-2).reverse()] });
  };
  const factors = [transposeA ? transposed(a) : a, transposeB ? transposed(b) : b];
  if (alpha === 1) onnx.add('MatMul', factors, {}, y);
  else onnx.add('Mul', [onnx.add('MatMul', factors), onnx.float(alpha)], {}, y);
}

/** Writes a product whose factors are rounded to 16 bits; returns the name of the result, which is float32. */
function halfProduct(
  onnx: OnnxWriter,
  { inputs: [a, b], parameters }: Node<Product>,
  operands: HalfOperands,
  output?: Named,
): string {
  const rounded = [a, b].map((factor) => halved(onnx, factor, operands));
  const result = onnx.add('FusedMatMul', rounded, productAttributes(parameters), undefined, microsoft);
  return onnx.add('Cast', [result], { to: { elementType: 'float32' } }, output);
}

/** Type of a norm's further outputs, one number a row, such as the mean. */
function inferNorm(name: 'RmsNorm' | 'LayerNorm', operands: readonly Value[]): TensorType {
  const [x, ...perColumn] = operands;
  for (const operand of operands) expectType(name, operand, 'float32');
  if (perColumn.some(({ shape }) => !sameShape(shape, x.shape.slice(-1))))
    refuse(name, operands, 'the weight must have the size of the last axis, and so must a bias');
  return { elementType: 'float32', shape: [...x.shape.slice(0, -1), 1] };
}

const normAttributes = ({ epsilon }: ParametersOf<'RmsNorm' | 'LayerNorm'>) => ({
  axis: -1,
  epsilon: { float: epsilon },
});

/** Sum over all axes but the last. */
const sumRows = (x: Value): Value =>
  sum(
    x,
    x.shape.slice(0, -1).map((_, axis) => axis),
  );

/** Mean of x · weight over the last axis, as a product with the column `weight`. */
function weightedMean(x: Value, weight: Value): Value {
  const width = elementCount(weight.shape);
  return matmul(x, reshape(weight, [width, 1]), { alpha: 1 / width });
}

/** Products of matrices, and norms, whose gradients are made of them. g is the cotangent of the result. */
export const productOperators = {
  MatMul: {
    infer: (operands, { transposeA, transposeB }) => {
      const [a, b] = operands;
      for (const operand of operands) {
        expectType('MatMul', operand, 'float32');
        if (operand.shape.length < 2) refuse('MatMul', operands, 'both must have two axes at least');
      }
      const [left, right] = [columns(a.shape, transposeA), rows(b.shape, transposeB)];
      if (left !== right) refuse('MatMul', operands, `inner sizes ${left} and ${right} differ`);
      const batch =
        broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)) ??
        refuse('MatMul', operands, 'the leading axes do not broadcast');
      const shape = [...batch, rows(a.shape, transposeA), columns(b.shape, transposeB)];
      return [{ elementType: 'float32', shape }];
    },
    // C = α·A·B: dA = α·g·Bᵀ, dB = α·Aᵀ·g; where A or B is transposed, so is its cotangent.
    gradient: (g, { inputs: [a, b], parameters: { transposeA, transposeB, alpha } }) => {
      const toA = transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true, alpha })
        : matmul(g, b, { transposeB: !transposeB, alpha });
      // One matrix for all leading axes of A (a linear layer): sum over them inside the product.
      const shared = b.shape.length === 2 && a.shape.length > 2 && !transposeA;
      const [left, right] = shared ? [flattenRows(a), flattenRows(g)] : [a, g];
      const toB = transposeB
        ? matmul(right, left, { transposeA: true, transposeB: transposeA, alpha })
        : matmul(left, right, { transposeA: !transposeA, alpha });
      return [unbroadcast(toA, a.shape), unbroadcast(toB, b.shape)];
    },
    toOnnx: (onnx, { inputs, outputs: [y], parameters }) => writeProduct(onnx, inputs, parameters, y),
    toOnnxRuntime: (onnx, { inputs, outputs, parameters }) => {
      const { transposeA, transposeB, alpha } = parameters;
      if (!transposeA && !transposeB && alpha === 1) onnx.add('MatMul', inputs, {}, outputs);
      else onnx.add('FusedMatMul', inputs, productAttributes(parameters), outputs, microsoft);
    },
    toHalf: (onnx, node, half) => halfProduct(onnx, node, half, node.outputs[0]),
    // FusedMatMul has no kernel there. Gemm transposes while it reads, but takes two axes only.
    toWebgpu: (onnx, { inputs: [a, b], outputs: [y], parameters }) => {
      const { transposeA, transposeB, alpha } = parameters;
      const isPlain = !transposeA && !transposeB && alpha === 1;
      // Attention's scores: the queries are scaled, for they are smaller.
      const isWide =
        alpha !== 1 && typeof columns(a.shape, transposeA) === 'number' && typeof y.shape.at(-1) === 'string';
      if (!isPlain && a.shape.length === 2 && b.shape.length === 2)
        onnx.add('Gemm', [a, b], productAttributes(parameters), y);
      else if (isWide)
        writeProduct(
          onnx,
          [{ name: onnx.add('Mul', [a, onnx.float(alpha)]), shape: a.shape }, b],
          { ...parameters, alpha: 1 },
          y,
        );
      else writeProduct(onnx, [a, b], parameters, y);
    },
  },
  /** C + α·A·B of two axes each. */
  MatMulAdd: {
    infer: (operands, { transposeA, transposeB }) => {
      const [a, b, c] = operands;
      if (!sameShape(c.shape, [rows(a.shape, transposeA), columns(b.shape, transposeB)]))
        refuse('MatMulAdd', operands, 'the sum must have the shape of the product');
      return [c.type];
    },
    toOnnx: writtenAs('Gemm', productAttributes),
    toHalf: (onnx, node, half) => {
      onnx.add('Add', [node.inputs[2], halfProduct(onnx, node, half)], {}, node.outputs);
    },
    inPlaceOf: 2,
  },
  RmsNorm: {
    infer: (operands) => [operands[0].type, inferNorm('RmsNorm', operands)],
    // With r = 1/√(mean(x²) + ε), n = x·r and h = g·w: dx = r·(h − n·mean(h·n)), dw = Σ g·n.
    gradient: (g, { inputs: [x, weight], outputs: [, r] }) => {
      const n = mul(x, r);
      const gn = mul(g, n);
      const h = mul(g, weight);
      // mean(h·n) = mean((g·n)·w)
      return [mul(r, sub(h, mul(n, weightedMean(gn, weight)))), sumRows(gn)];
    },
    toOnnx: (onnx, { inputs: [x, weight], outputs: [y, reciprocal], parameters: { epsilon } }) => {
      const squares = onnx.add('Mul', [x, x]);
      const mean = onnx.add('ReduceMean', [squares, onnx.int64s([-1])], { keepdims: 1 });
      const root = onnx.add('Sqrt', [onnx.add('Add', [mean, onnx.float(epsilon)])]);
      onnx.add('Reciprocal', [root], {}, reciprocal);
      onnx.add('Mul', [onnx.add('Mul', [x, reciprocal]), weight], {}, y);
    },
    // Stands in the standard's domain, but not in the standard.
    toOnnxRuntime: writtenAs('SimplifiedLayerNormalization', normAttributes),
    // Its kernel there writes mean(x) where 1/√(mean(x²) + ε) belongs.
    toWebgpu: (onnx, { inputs, outputs: [y, reciprocal], parameters }) => {
      onnx.add('SimplifiedLayerNormalization', inputs, normAttributes(parameters), y);
      const [width] = inputs[1].shape as readonly number[];
      const squares = onnx.add('ReduceSumSquare', [inputs[0], onnx.int64s([-1])], { keepdims: 1 });
      const mean = onnx.add('Mul', [squares, onnx.float(1 / width)]);
      const root = onnx.add('Sqrt', [onnx.add('Add', [mean, onnx.float(parameters.epsilon)])]);
      onnx.add('Reciprocal', [root], {}, reciprocal);
    },
    isCheap: true,
  },
  LayerNorm: {
    infer: (operands) => {
      const ofRows = inferNorm('LayerNorm', operands);
      return [operands[0].type, ofRows, ofRows];
    },
    // With n = (x − mean)·r and h = g·w: dx = r·(h − mean(h) − n·mean(h·n)), dw = Σ g·n, db = Σ g.
    gradient: (g, { inputs: [x, weight, bias], outputs: [, average, r] }) => {
      const n = mul(sub(x, average), r);
      const gn = mul(g, n);
      const h = mul(g, weight);
      const toX = mul(r, sub(sub(h, weightedMean(g, weight)), mul(n, weightedMean(gn, weight))));
      return bias ? [toX, sumRows(gn), sumRows(g)] : [toX, sumRows(gn)];
    },
    toOnnx: writtenAs('LayerNormalization', normAttributes),
    // Its kernel there takes mean(x²) − mean(x)² for the variance, which cancels where the mean is large: it gets x − mean.
    toWebgpu: (onnx, { inputs: [x, ...perColumn], outputs: [y, average, reciprocal], parameters }) => {
      onnx.add('ReduceMean', [x, onnx.int64s([-1])], { keepdims: 1 }, average);
      const centred = onnx.add('Sub', [x, average]);
      const outputs = [y, '', reciprocal];
      onnx.add('LayerNormalization', [centred, ...perColumn], normAttributes(parameters), outputs);
    },
    isCheap: true,
  },
} satisfies Partial<OperatorTable>;
