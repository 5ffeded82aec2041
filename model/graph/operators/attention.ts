import type { Node, OperatorTable, Value } from '../graph.ts';
import type { OnnxWriter, Turn } from '../onnx-writer.ts';
import { boundShape, elementCount, type Shape, sameShape } from '../shape.ts';
import { attentionPart, type Division, divide, headsOf, scoreBytesOf } from './attention-part.ts';
import { fusedProduct, halfProduct, type Multiply, standardProduct } from './products-of-parts.ts';
import { expectType, refuse } from './refusals.ts';

/** Of float32 values. */
const bytesOf = (shape: Shape, sizes: Readonly<Record<string, number>>): number =>
  4 * elementCount(boundShape(shape, sizes));

/** An int64 scalar as a tensor [1], or back. */
const vector = (onnx: OnnxWriter, number: string) => onnx.add('Reshape', [number, onnx.int64s([1])]);
const scalar = (onnx: OnnxWriter, number: string) => onnx.add('Reshape', [number, onnx.int64s([])]);

/** [parts, rows, key-value heads, group, size, head size], as a loop collects it → [rows, length, width]. */
function ofTokens(onnx: OnnxWriter, collected: string, { length }: Division, width: number, output: Value) {
  const perToken = onnx.add('Transpose', [collected], { perm: [1, 0, 4, 2, 3, 5] });
  const filled = onnx.add('Reshape', [perToken, onnx.int64s([0, -1, width])]);
  onnx.add('Slice', [filled, onnx.int64s([0]), length, onnx.int64s([1])], {}, output);
}

/** One part after the other. */
function writeForward(onnx: OnnxWriter, node: Node<'AttentionInParts'>, multiply: Multiply): void {
  const division = divide(onnx, node);
  const [collected] = onnx.loop(scalar(onnx, division.count), [], (body, number) => {
    const part = vector(body, number);
    const { weights, values, filled } = attentionPart(body, node, multiply, { ...division, part });
    return { carried: [], collected: [filled(multiply(body, weights, values))] };
  });
  ofTokens(onnx, collected, division, headsOf(node).width, node.outputs[0]);
}

/**
 * Part after part, each of which computes its scores again. With P = softmax(S) and O = P·V: ∂V = Pᵀ·g and
 * ∂S = P ∘ (g·Vᵀ − rowsum(g ∘ O)), see model/families/weighted-values.ts.
 */
function writeBackward(onnx: OnnxWriter, node: Node<'AttentionInPartsGradient'>, multiply: Multiply): void {
  const { width, headSize } = headsOf(node);
  const division = divide(onnx, node);
  const [, allKeys, , , mixed, cotangent] = node.inputs;
  const [toQueries, toKeys, toValues] = node.outputs;
  const alpha = 1 / Math.sqrt(headSize);
  const zeros = onnx.add('ConstantOfShape', [onnx.add('Shape', [allKeys])]);
  const collected = `${toQueries.name}/parts`;
  const turn: Turn = (body, number, sums) => {
    const place = { ...division, part: vector(body, number) };
    const part = attentionPart(body, node, multiply, place);
    const g = part.ofQueries(cotangent);
    const products = body.add('Mul', [g, part.ofQueries(mixed)]);
    const rowSums = body.add('ReduceSum', [products, body.int64s([-1])], { keepdims: 1 });
    const toWeights = multiply(body, g, part.values, { transposeB: true });
    const toScores = body.add('Mul', [part.weights, body.add('Sub', [toWeights, rowSums])]);
    const terms = [
      multiply(body, toScores, part.queries, { transposeA: true, alpha }),
      multiply(body, part.weights, g, { transposeA: true }),
    ];
    return {
      carried: terms.map((term, i) => body.add('Add', [sums[i], part.amongAllKeys(term)])),
      collected: [part.filled(multiply(body, toScores, part.keys, { alpha }))],
    };
  };
  onnx.loop(scalar(onnx, division.count), [zeros, zeros], turn, [toKeys, toValues, collected]);
  ofTokens(onnx, collected, division, width, toQueries);
}

/**
 * softmax(Q·Kᵀ / √(head size) + bias) · V over documents that stand in rows, each token attending to its own document
 * up to itself. Only the scores of some queries stand in memory at a time, and keys that none of them attends to are
 * left out; the backward pass computes them again (Dao et al. 2022, FlashAttention).
 */
export const attentionOperators = {
  AttentionInParts: {
    infer: (operands) => {
      const [queries, keys, values, positions, bias] = operands;
      for (const operand of [queries, keys, values]) expectType('AttentionInParts', operand, 'float32');
      expectType('AttentionInParts', positions, 'int64');
      const [rows, length, width] = queries.shape;
      const [, heads, , headSize] = keys.shape;
      const fits =
        typeof width === 'number' &&
        typeof heads === 'number' &&
        typeof headSize === 'number' &&
        width % (heads * headSize) === 0 &&
        sameShape(keys.shape, [rows, heads, length, headSize]) &&
        sameShape(values.shape, keys.shape) &&
        sameShape(positions.shape, [rows, length]) &&
        (!bias || sameShape(bias.shape, [rows, width / headSize, length]));
      if (!fits) {
        refuse(
          'AttentionInParts',
          operands,
          'takes queries [rows, length, heads · size], keys and values [rows, key-value heads, length, size], positions [rows, length] and a bias [rows, heads, length]',
        );
      }
      return [queries.type];
    },
    gradient: (g, { inputs: [queries, keys, values, positions, ...bias], outputs: [mixed], parameters }) => {
      const inputs = [queries, keys, values, positions, mixed, g, ...bias] as const;
      return [...g.graph.apply('AttentionInPartsGradient', inputs, parameters), undefined, undefined];
    },
    toOnnx: (onnx, node) => writeForward(onnx, node, standardProduct),
    toOnnxRuntime: (onnx, node) => writeForward(onnx, node, fusedProduct),
    toHalf: (onnx, node, half) => writeForward(onnx, node, halfProduct(half)),
    // Scores before and after the mask, and the result as the loop collects it.
    workspace: (node, sizes) => 3 * scoreBytesOf(node, sizes) + 2 * bytesOf(node.outputs[0].shape, sizes),
  },
  AttentionInPartsGradient: {
    infer: ([queries, keys, values]) => [queries.type, keys.type, values.type],
    toOnnx: (onnx, node) => writeBackward(onnx, node, standardProduct),
    toOnnxRuntime: (onnx, node) => writeBackward(onnx, node, fusedProduct),
    toHalf: (onnx, node, half) => writeBackward(onnx, node, halfProduct(half)),
    // Scores with their cotangents, and the results as the loop carries and collects them.
    workspace: (node, sizes) =>
      5 * scoreBytesOf(node, sizes) +
      2 * node.outputs.reduce((sum, output) => sum + bytesOf(output.shape, sizes), 0),
  },
} satisfies Partial<OperatorTable>;
