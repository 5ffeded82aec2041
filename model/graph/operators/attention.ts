import type { Node, OperatorTable, Value } from '../graph.ts';
import type { OnnxWriter, Turn } from '../onnx-writer.ts';
import { boundShape, elementCount, type Shape, sameShape } from '../shape.ts';
import {
  type AttentionNode,
  type AttentionPart,
  attentionPart,
  type Division,
  divide,
  headsOf,
  scoreBytesOf,
} from './attention-part.ts';
import {
  fusedProduct,
  halfProduct,
  type Multiply,
  standardProduct,
  webgpuProduct,
} from './products-of-parts.ts';
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

/** The division into so many parts as the parameters say, each with its number; the last ones may be beyond the end. */
function countedParts(onnx: OnnxWriter, node: AttentionNode, count: number) {
  const length = onnx.add('Shape', [node.inputs[3]], { start: 1, end: 2 });
  const one = onnx.int64s([1]);
  const last = onnx.add('Sub', [length, one]);
  const size = onnx.add('Add', [onnx.add('Div', [last, onnx.int64s([count])]), one]);
  return Array.from({ length: count }, (_, part) => ({
    length,
    size,
    part: onnx.int64s([part]),
    inWebgpu: true,
  }));
}

/** Parts [rows, key-value heads, group, size, head size] → [rows, length, width]. */
function joined(onnx: OnnxWriter, parts: readonly string[], length: string, width: number, output: Value) {
  const whole = onnx.add('Concat', parts, { axis: 3 });
  const perToken = onnx.add('Transpose', [whole], { perm: [0, 3, 1, 2, 4] });
  const filled = onnx.add('Reshape', [perToken, onnx.int64s([0, -1, width])]);
  onnx.add('Slice', [filled, onnx.int64s([0]), length, onnx.int64s([1])], {}, output);
}

/** All parts in one graph. */
function writeForwardWithoutLoop(onnx: OnnxWriter, node: Node<'AttentionInParts'>, count: number): void {
  const places = countedParts(onnx, node, count);
  const parts = places.map((place) => {
    const { weights, values, filled } = attentionPart(onnx, node, webgpuProduct, place);
    return filled(webgpuProduct(onnx, weights, values));
  });
  joined(onnx, parts, places[0].length, headsOf(node).width, node.outputs[0]);
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

/** ∂(c · tanh(s / c)) / ∂s = 1 − tanh²(s / c). */
const slopeOf = (onnx: OnnxWriter, squashed: string) =>
  onnx.add('Sub', [onnx.float(1), onnx.add('Mul', [squashed, squashed])]);

/**
 * What a part adds to the cotangents. With P = softmax(S) and O = P·V: ∂V = Pᵀ·g and ∂S = P ∘ (g·Vᵀ − rowsum(g ∘ O)),
 * see model/families/weighted-values.ts.
 *
 * @param g the cotangent of the part's result
 */
function partCotangents(
  onnx: OnnxWriter,
  { inputs, parameters }: Node<'AttentionInPartsGradient'>,
  multiply: Multiply,
  part: AttentionPart,
  g: string,
) {
  const alpha = parameters.scale;
  const products = onnx.add('Mul', [g, part.ofQueries(inputs[4])]);
  const rowSums = onnx.add('ReduceSum', [products, onnx.int64s([-1])], { keepdims: 1 });
  const toWeights = multiply(onnx, g, part.values, { transposeB: true });
  const toCapped = onnx.add('Mul', [part.weights, onnx.add('Sub', [toWeights, rowSums])]);
  const toScores = part.squashed ? onnx.add('Mul', [toCapped, slopeOf(onnx, part.squashed)]) : toCapped;
  return {
    /** Of keys and values, which other parts add to too. */
    shared: [
      multiply(onnx, toScores, part.queries, { transposeA: true, alpha }),
      multiply(onnx, part.weights, g, { transposeA: true }),
    ],
    ofQueries: () => multiply(onnx, toScores, part.keys, { alpha }),
  };
}

/** Part after part, each of which computes its scores again. */
function writeBackward(onnx: OnnxWriter, node: Node<'AttentionInPartsGradient'>, multiply: Multiply): void {
  const division = divide(onnx, node);
  const [, allKeys, , , , cotangent] = node.inputs;
  const [toQueries, toKeys, toValues] = node.outputs;
  const zeros = onnx.add('ConstantOfShape', [onnx.add('Shape', [allKeys])]);
  const collected = `${toQueries.name}/parts`;
  const turn: Turn = (body, number, sums) => {
    const part = attentionPart(body, node, multiply, { ...division, part: vector(body, number) });
    const terms = partCotangents(body, node, multiply, part, part.ofQueries(cotangent));
    return {
      carried: terms.shared.map((term, i) => body.add('Add', [sums[i], part.amongAllKeys(term)])),
      collected: [part.filled(terms.ofQueries())],
    };
  };
  onnx.loop(scalar(onnx, division.count), [zeros, zeros], turn, [toKeys, toValues, collected]);
  ofTokens(onnx, collected, division, headsOf(node).width, toQueries);
}

/** The same in one graph. */
function writeBackwardWithoutLoop(
  onnx: OnnxWriter,
  node: Node<'AttentionInPartsGradient'>,
  count: number,
): void {
  const [, , , , , cotangent] = node.inputs;
  const [toQueries, ...toOthers] = node.outputs;
  const places = countedParts(onnx, node, count);
  let sums: string[] | undefined;
  const parts = places.map((place) => {
    const part = attentionPart(onnx, node, webgpuProduct, place);
    // 0 for a part beyond the end, which would be counted twice.
    const isThere = onnx.add('Less', [onnx.add('Mul', [place.part, place.size]), place.length]);
    const factor = onnx.add('Cast', [isThere], { to: { elementType: 'float32' } });
    const g = onnx.add('Mul', [part.ofQueries(cotangent), factor]);
    const terms = partCotangents(onnx, node, webgpuProduct, part, g);
    const added = terms.shared.map((term) => part.amongAllKeys(term));
    sums = sums ? sums.map((sum, i) => onnx.add('Add', [sum, added[i]])) : added;
    return part.filled(terms.ofQueries());
  });
  for (const [i, output] of toOthers.entries()) onnx.add('Identity', [sums![i]], {}, output);
  joined(onnx, parts, places[0].length, headsOf(node).width, toQueries);
}

/**
 * softmax(scale · Q·Kᵀ, capped, + bias) · V over documents that stand in rows, each token attending to its own document
 * up to itself, or to a window of it. Only the scores of some queries stand in memory at a time, and keys that none of them attends to are
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
    toWebgpu: (onnx, node) => {
      const { count } = node.parameters;
      if (count === undefined) writeForward(onnx, node, webgpuProduct);
      else writeForwardWithoutLoop(onnx, node, count);
    },
    // Scores before and after the cap and the mask, and the result as the loop collects it.
    workspace: (node, sizes) =>
      (node.parameters.softCap ? 5 : 3) * scoreBytesOf(node, sizes) +
      2 * bytesOf(node.outputs[0].shape, sizes),
  },
  AttentionInPartsGradient: {
    infer: ([queries, keys, values]) => [queries.type, keys.type, values.type],
    toOnnx: (onnx, node) => writeBackward(onnx, node, standardProduct),
    toOnnxRuntime: (onnx, node) => writeBackward(onnx, node, fusedProduct),
    toHalf: (onnx, node, half) => writeBackward(onnx, node, halfProduct(half)),
    toWebgpu: (onnx, node) => {
      const { count } = node.parameters;
      if (count === undefined) writeBackward(onnx, node, webgpuProduct);
      else writeBackwardWithoutLoop(onnx, node, count);
    },
    // Scores with their cotangents, and the results as the loop carries and collects them.
    workspace: (node, sizes) =>
      (node.parameters.softCap ? 8 : 5) * scoreBytesOf(node, sizes) +
      2 * node.outputs.reduce((sum, output) => sum + bytesOf(output.shape, sizes), 0),
  },
} satisfies Partial<OperatorTable>;
