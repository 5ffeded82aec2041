import { add, cast, div, erf, exp, mul, neg, sigmoid, sub, tanh, where } from '../expressions.ts';
import type { ElementType, OperatorTable } from '../graph.ts';
import { broadcastShapes } from '../shape.ts';
import { broadcastType, elementwise, elementwisePair, expectType, refuse, unbroadcast } from './rules.ts';

/** Value by value. y names the result, g the cotangent. */
export const elementwiseOperators: OperatorTable = {
  // d(a + b) = da + db
  Add: elementwisePair('Add', (g) => [g, g]),
  Sub: elementwisePair('Sub', (g) => [g, neg(g)]),
  // d(ab) = b da + a db
  Mul: elementwisePair('Mul', (g, a, b) => [mul(g, b), mul(g, a)]),
  // d(a/b) = da/b − (a/b) db/b
  Div: elementwisePair('Div', (g, _a, b, { outputs }) => {
    const perB = div(g, b);
    return [perB, neg(mul(perB, outputs[0]))];
  }),
  Neg: {
    infer: ([x]) => [x.type],
    gradient: ({ cotangent }) => [neg(cotangent)],
  },
  Exp: elementwise('Exp', (_x, y) => y, mul),
  Log: elementwise('Log', (x) => x, div),
  // d√x = dx / 2√x
  Sqrt: elementwise('Sqrt', (_x, y) => mul(y, 2), div),
  // σ′ = σ(1 − σ)
  Sigmoid: elementwise('Sigmoid', (_x, y) => mul(y, sub(1, y)), mul),
  // (x·σ)′ = σ(1 + x − x·σ)
  Silu: elementwise('Silu', (x, y) => mul(sigmoid(x), add(sub(x, y), 1)), mul),
  // erf′ = 2/√π · exp(−x²)
  Erf: elementwise('Erf', (x) => mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)), mul),
  // tanh′ = 1 − tanh²
  Tanh: elementwise('Tanh', (_x, y) => sub(1, mul(y, y)), mul),
  // (x·Φ)′ = Φ + x·φ, Φ = (1 + erf(x/√2))/2, φ = exp(−x²/2)/√2π
  Gelu: elementwise(
    'Gelu',
    (x) =>
      add(
        mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5),
        mul(x, mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))),
      ),
    mul,
  ),
  // x·(1 + t)/2 with t = tanh(u), u = √(2/π)·(x + a·x³): (1 + t)/2 + x·(1 − t²)·u′/2
  GeluTanh: elementwise(
    'GeluTanh',
    (x) => {
      const [scale, cubic] = [Math.sqrt(2 / Math.PI), 0.044715];
      const square = mul(x, x);
      const t = tanh(mul(x, add(mul(square, scale * cubic), scale)));
      const innerSlope = add(mul(square, 3 * scale * cubic), scale);
      return mul(add(add(t, 1), mul(mul(x, sub(1, mul(t, t))), innerSlope)), 0.5);
    },
    mul,
  ),
  GreaterOrEqual: {
    infer: ([a, b]) => [{ ...broadcastType('GreaterOrEqual', [a, b]), elementType: 'bool' }],
  },
  Where: {
    infer: (inputs) => {
      const [condition, yes, no] = inputs;
      expectType('Where', condition, 'bool');
      const values = broadcastType('Where', [yes, no]);
      const shape =
        broadcastShapes(condition.shape, values.shape) ??
        refuse('Where', inputs, 'the shapes do not broadcast');
      return [{ ...values, shape }];
    },
    gradient: ({ inputs: [condition, yes, no], cotangent }) => [
      undefined,
      unbroadcast(where(condition, cotangent, 0), yes.shape),
      unbroadcast(where(condition, 0, cotangent), no.shape),
    ],
  },
  Cast: {
    infer: ([x], { to }) => [{ elementType: to as ElementType, shape: x.shape }],
    gradient: ({ inputs: [x], cotangent }) => [
      /float/.test(x.elementType) ? cast(cotangent, x.elementType) : undefined,
    ],
  },
};
