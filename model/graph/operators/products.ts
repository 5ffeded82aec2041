import { matmul, mul, reshape, sub, sum } from '../expressions.ts';
import type { OperatorTable, Value } from '../graph.ts';
import { broadcastShapes, product, type Shape, sameShape } from '../shape.ts';
import { expectType, refuse, unbroadcast } from './rules.ts';

const rows = (shape: Shape, transposed: boolean) => shape[shape.length - (transposed ? 1 : 2)];
const columns = (shape: Shape, transposed: boolean) => shape[shape.length - (transposed ? 2 : 1)];
/** [a, b, c, d] → [a·b·c, d]. */
const flattenRows = (x: Value): Value => reshape(x, [product(x.shape.slice(0, -1)), x.shape.at(-1)!]);

/** Products of matrices. */
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
  RmsNorm: {
    infer: (inputs) => {
      const [x, weight] = inputs as [Value, Value];
      for (const operand of inputs) expectType('RmsNorm', operand, 'float32');
      if (!sameShape(weight.shape, x.shape.slice(-1)))
        refuse('RmsNorm', inputs, 'the weight must have the size of the last axis');
      return [x.type, { elementType: 'float32', shape: [...x.shape.slice(0, -1), 1] }];
    },
    // With r = 1/√(mean(x²) + ε), n = x·r and h = g·w: dx = r·(h − n·mean(h·n)), dw = Σ g·n.
    gradient: ({ inputs: [x, weight], outputs: [, r], cotangent: g }) => {
      const n = mul(x, r);
      const gn = mul(g, n);
      const toWeight = sum(
        gn,
        x.shape.slice(0, -1).map((_, axis) => axis),
      );
      const width = x.shape.at(-1) as number;
      // mean(h·n) = (g·n)·w / width, as a product with the column w.
      const projection = matmul(gn, reshape(weight, [width, 1]), { alpha: 1 / width });
      const h = mul(g, weight);
      return [mul(r, sub(h, mul(n, projection))), toWeight];
    },
  },
};
