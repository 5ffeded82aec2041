import { add, cast, div, erf, exp, mul, neg, sigmoid, sub, tanh, where } from '../expressions.ts';
import type { Node, OperatorTable, Value } from '../graph.ts';
import { microsoft } from '../onnx-writer.ts';
import { broadcastShapes } from '../shape.ts';
import type { BinaryName, UnaryName } from '../signatures.ts';
import type { TensorType } from '../tensor-type.ts';
import { unbroadcast } from './cotangents.ts';
import { broadcastType, expectType, refuse } from './refusals.ts';
import { asInt32, writtenAs } from './written-as.ts';

/** A function of one float32 operand; `gradient` gives the cotangent of x from that of y. */
const unary = (name: UnaryName, gradient: (g: Value, x: Value, y: Value) => Value) => ({
  infer: ([x]: readonly [Value]): readonly [TensorType] => {
    expectType(name, x, 'float32');
    return [x.type];
  },
  gradient: (g: Value, { inputs: [x], outputs: [y] }: Node<UnaryName>): readonly [Value] => [
    gradient(g, x, y),
  ],
  toOnnx: writtenAs(name),
});

/** A function of two operands that broadcast; `gradient` gives both cotangents, stretched as the result is. */
const binary = (
  name: BinaryName,
  gradient: (g: Value, a: Value, b: Value, y: Value) => readonly [Value, Value],
) => ({
  infer: (operands: readonly [Value, Value]): readonly [TensorType] => [broadcastType(name, operands)],
  gradient: (g: Value, { inputs: [a, b], outputs: [y] }: Node<BinaryName>): readonly [Value, Value] => {
    const [toA, toB] = gradient(g, a, b, y);
    return [unbroadcast(toA, a.shape), unbroadcast(toB, b.shape)];
  },
  toOnnx: writtenAs(name),
  reusesInput: true as const,
});

/** x · sigmoid(alpha · x) */
const asQuickGelu = writtenAs('QuickGelu', () => ({ alpha: { float: 1 } }), microsoft);
const asGelu = writtenAs('Gelu', () => ({}), microsoft);
const asFastGelu = writtenAs('FastGelu', () => ({}), microsoft);

/** Value by value. x, a and b are operands, y the result, g its cotangent. */
export const elementwiseOperators = {
  // d(a + b) = da + db
  Add: { ...binary('Add', (g) => [g, g]), inPlaceOf: 0 },
  Sub: binary('Sub', (g) => [g, neg(g)]),
  // d(ab) = b da + a db
  Mul: { ...binary('Mul', (g, a, b) => [mul(g, b), mul(g, a)]), inPlaceOf: 0, isCheap: true },
  // d(a/b) = da/b − (a/b) db/b
  Div: binary('Div', (g, _a, b, y) => {
    const perB = div(g, b);
    return [perB, neg(mul(perB, y))];
  }),
  Neg: {
    infer: ([x]) => [x.type],
    gradient: (g) => [neg(g)],
    toOnnx: writtenAs('Neg'),
    reusesInput: true,
  },
  Exp: { ...unary('Exp', (g, _x, y) => mul(g, y)), reusesInput: true },
  Log: { ...unary('Log', (g, x) => div(g, x)), reusesInput: true },
  // d√x = dx / 2√x
  Sqrt: { ...unary('Sqrt', (g, _x, y) => div(g, mul(y, 2))), reusesInput: true },
  // σ′ = σ(1 − σ)
  Sigmoid: { ...unary('Sigmoid', (g, _x, y) => mul(g, mul(y, sub(1, y)))), reusesInput: true },
  Silu: {
    // (x·σ)′ = σ(1 + x − x·σ)
    ...unary('Silu', (g, x, y) => mul(g, mul(sigmoid(x), add(sub(x, y), 1)))),
    toOnnx: (onnx, { inputs: [x], outputs: [y] }) => {
      onnx.add('Mul', [x, onnx.add('Sigmoid', [x])], {}, y);
    },
    toOnnxRuntime: asQuickGelu,
    toWebgpu: asQuickGelu,
    isCheap: true,
  },
  // erf′ = 2/√π · exp(−x²)
  Erf: {
    ...unary('Erf', (g, x) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))),
    reusesInput: true,
  },
  // tanh′ = 1 − tanh²
  Tanh: { ...unary('Tanh', (g, _x, y) => mul(g, sub(1, mul(y, y)))), reusesInput: true },
  Gelu: {
    // (x·Φ)′ = Φ + x·φ, Φ = (1 + erf(x/√2))/2, φ = exp(−x²/2)/√2π
    ...unary('Gelu', (g, x) => {
      const phi = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
      const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return mul(g, add(phi, mul(x, density)));
    }),
    // x · (1 + erf(x / √2)) / 2
    toOnnx: (onnx, { inputs: [x], outputs: [y] }) => {
      const error = onnx.add('Erf', [onnx.add('Mul', [x, onnx.float(Math.SQRT1_2)])]);
      const doubled = onnx.add('Add', [error, onnx.float(1)]);
      onnx.add('Mul', [onnx.add('Mul', [x, onnx.float(0.5)]), doubled], {}, y);
    },
    toOnnxRuntime: asGelu,
    toWebgpu: asGelu,
    isCheap: true,
  },
  GeluTanh: {
    // x·(1 + t)/2 with t = tanh(u), u = √(2/π)·(x + a·x³): (1 + t)/2 + x·(1 − t²)·u′/2
    ...unary('GeluTanh', (g, x) => {
      const [scale, cubic] = [Math.sqrt(2 / Math.PI), 0.044715];
      const square = mul(x, x);
      const t = tanh(mul(x, add(mul(square, scale * cubic), scale)));
      const innerSlope = add(mul(square, 3 * scale * cubic), scale);
      return mul(g, mul(add(add(t, 1), mul(mul(x, sub(1, mul(t, t))), innerSlope)), 0.5));
    }),
    // x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2
    toOnnx: (onnx, { inputs: [x], outputs: [y] }) => {
      const scale = Math.sqrt(2 / Math.PI);
      const cubic = onnx.add('Mul', [onnx.add('Mul', [x, x]), onnx.float(0.044715 * scale)]);
      const inner = onnx.add('Mul', [x, onnx.add('Add', [cubic, onnx.float(scale)])]);
      const doubled = onnx.add('Add', [onnx.add('Tanh', [inner]), onnx.float(1)]);
      onnx.add('Mul', [onnx.add('Mul', [x, onnx.float(0.5)]), doubled], {}, y);
    },
    toOnnxRuntime: asFastGelu,
    toWebgpu: asFastGelu,
    isCheap: true,
  },
  GreaterOrEqual: {
    infer: (operands) => [{ elementType: 'bool', shape: broadcastType('GreaterOrEqual', operands).shape }],
    toOnnx: writtenAs('GreaterOrEqual'),
    // Of int64 the result would be made on the processor, and it may be far larger than the operands.
    toWebgpu: (onnx, { inputs, outputs }) => {
      onnx.add(
        'GreaterOrEqual',
        inputs.map((x) => asInt32(onnx, x)),
        {},
        outputs,
      );
    },
  },
  Where: {
    infer: (operands) => {
      const [condition, yes, no] = operands;
      expectType('Where', condition, 'bool');
      const { elementType, shape: ofValues } = broadcastType('Where', [yes, no]);
      const shape =
        broadcastShapes(condition.shape, ofValues) ??
        refuse('Where', operands, 'the shapes do not broadcast');
      return [{ elementType, shape }];
    },
    gradient: (g, { inputs: [condition, yes, no] }) => [
      undefined,
      unbroadcast(where(condition, g, 0), yes.shape),
      unbroadcast(where(condition, 0, g), no.shape),
    ],
    toOnnx: writtenAs('Where'),
    isCheap: true,
    reusesInput: true,
  },
  Cast: {
    infer: ([x], { to }) => [{ elementType: to, shape: x.shape }],
    gradient: (g, { inputs: [x] }) => [/float/.test(x.elementType) ? cast(g, x.elementType) : undefined],
    toOnnx: writtenAs('Cast', ({ to }) => ({ to: { elementType: to } })),
  },
} satisfies Partial<OperatorTable>;
