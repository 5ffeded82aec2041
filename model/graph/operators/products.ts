import { matmul, mul, reshape, sub, sum } from '../expressions.ts';
import type { OperatorTable, TensorType, Value } from '../graph.ts';
import { broadcastShapes, product, type Shape, sameShape } from '../shape.ts';
import { expectType, refuse, unbroadcast } from './rules.ts';

const rows = (shape: Shape, transposed: boolean) => shape[shape.length - (transposed ? 1 : 2)];
const columns = (shape: Shape, transposed: boolean) => shape[shape.length - (transposed ? 2 : 1)];
/** [a, b, c, d] → [a·b·c, d]. */
const flattenRows = (x: Value): Value => reshape(x, [product(x.shape.slice(0, -1)), x.shape.at(-1)!]);

/** Type of what a norm gives for every row beside its result, such as the mean. */
function inferNorm(name: string, inputs: readonly Value[]): TensorType {
  const [x, ...perColumn] = inputs;
  for (const operand of inputs) expectType(name, operand, 'float32');
  if (perColumn.some(({ shape }) => !sameShape(shape, x.shape.slice(-1))))
    refuse(name, inputs, 'the weight must have the size of the last axis, and so must a bias');
  return { elementType: 'float32', shape: [...x.shape.slice(0, -1), 1] };
}

/** Sum over all axes but the last. */
const sumRows = (x: Value): Value =>
  sum(
    x,
    x.shape.slice(0, -1).map((_, axis) => axis),
  );

/** Mean of x · weight over the last axis, as a product with the column `weight`. */
function weightedMean(x: Value, weight: Value): Value {
  const width = weight.shape[0] as number;
  return matmul(x, reshape(weight, [width, 1]), { alpha: 1 / width });
}

/** Products of matrices, and norms, whose gradients are made of them. */
export const productOperators: OperatorTable = {
  MatMul: {
    infer: (inputs, { transposeA, transposeB }) => {
      const [a, b] = inputs as [Value, Value];
      for (const operand of inputs) {
        expectType('MatMul', operand, 'float32');
        if (operand.shape.length < 2) refuse('MatMul', inputs, 'both must have two axes at least');
      }
      if (columns(a.shape, transposeA === 1) !== rows(b.shape, transposeB === 1)) {
        refuse(
          'MatMul',
          inputs,
          `inner sizes ${columns(a.shape, transposeA === 1)} and ${rows(b.shape, transposeB === 1)} differ`,
        );
      }
      const batch =
        broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)) ??
        refuse('MatMul', inputs, 'the leading axes do not broadcast');
      return [
        {
          elementType: 'float32',
          shape: [...batch, rows(a.shape, transposeA === 1), columns(b.shape, transposeB === 1)],
        },
      ];
    },
    // C = α·A·B: dA = α·g·Bᵀ, dB = α·Aᵀ·g; where A or B stood transposed, so does its cotangent.
    gradient: ({ inputs, attributes, cotangent: g }) => {
      const [a, b] = inputs as [Value, Value];
      const [transposeA, transposeB] = [attributes['transposeA'] === 1, attributes['transposeB'] === 1];
      const alpha = attributes['alpha'] as number;
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
  },
  // C + α·A·B, which may be written onto C's own buffer.
  MatMulAdd: {
    infer: (inputs, { transposeA, transposeB }) => {
      const [a, b, c] = inputs as [Value, Value, Value];
      const shape = [rows(a.shape, transposeA === 1), columns(b.shape, transposeB === 1)];
      if (!sameShape(c.shape, shape))
        refuse('MatMulAdd', inputs, 'the sum must have the shape of the product');
      return [c.type];
    },
  },
  RmsNorm: {
    infer: (inputs) => {
      const ofRows = inferNorm('RmsNorm', inputs);
      return [inputs[0].type, ofRows];
    },
    // With r = 1/√(mean(x²) + ε), n = x·r and h = g·w: dx = r·(h − n·mean(h·n)), dw = Σ g·n.
    gradient: ({ inputs: [x, weight], outputs: [, r], cotangent: g }) => {
      const n = mul(x, r);
      const gn = mul(g, n);
      const h = mul(g, weight);
      // mean(h·n) = mean((g·n)·w)
      return [mul(r, sub(h, mul(n, weightedMean(gn, weight)))), sumRows(gn)];
    },
  },
  LayerNorm: {
    infer: (inputs) => {
      const ofRows = inferNorm('LayerNorm', inputs);
      return [inputs[0].type, ofRows, ofRows];
    },
    // With n = (x − mean)·r and h = g·w: dx = r·(h − mean(h) − n·mean(h·n)), dw = Σ g·n, db = Σ g.
    gradient: ({ inputs: [x, weight, bias], outputs: [, average, r], cotangent: g }) => {
      const n = mul(sub(x, average), r);
      const gn = mul(g, n);
      const h = mul(g, weight);
      const toX = mul(r, sub(sub(h, weightedMean(g, weight)), mul(n, weightedMean(gn, weight))));
      return bias ? [toX, sumRows(gn), sumRows(g)] : [toX, sumRows(gn)];
    },
  },
};
