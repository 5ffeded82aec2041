import type { Node } from '../graph.ts';
import type { Named, OnnxWriter } from '../onnx-writer.ts';
import { boundShape } from '../shape.ts';
import type { Multiply } from './products-of-parts.ts';

export type AttentionNode = Node<'AttentionInParts' | 'AttentionInPartsGradient'>;

/** How the queries of all rows are divided; int64 tensors [1]. */
export interface Division {
  readonly rows: string;
  readonly length: string;
  /** How many parts there are. */
  readonly count: string;
  /** Queries of a part in each row; the last part may have fewer. */
  readonly size: string;
}

export function headsOf({ inputs: [queries, keys] }: AttentionNode) {
  const [, keyValueHeads, , headSize] = keys.shape as readonly number[];
  const width = queries.shape[2] as number;
  return { width, keyValueHeads, headSize, group: width / headSize / keyValueHeads };
}

/** Divides evenly, into as few parts as keep a part's scores within their bytes. */
export function divide(onnx: OnnxWriter, node: AttentionNode): Division {
  const { keyValueHeads, group } = headsOf(node);
  const [, , , positions] = node.inputs;
  const rows = onnx.add('Shape', [positions], { start: 0, end: 1 });
  const length = onnx.add('Shape', [positions], { start: 1, end: 2 });
  const { scoreBytes, fewestQueries } = node.parameters;
  const scores = Math.floor(scoreBytes / (4 * keyValueHeads * group));
  const ofQuery = onnx.add('Mul', [rows, length]);
  const most = onnx.add('Max', [
    onnx.add('Div', [onnx.int64s([scores]), ofQuery]),
    onnx.int64s([fewestQueries]),
  ]);
  // ⌈length / n⌉ = (length − 1) / n + 1 in whole numbers.
  const one = onnx.int64s([1]);
  const last = onnx.add('Sub', [length, one]);
  const count = onnx.add('Add', [onnx.add('Div', [last, most]), one]);
  const size = onnx.add('Add', [onnx.add('Div', [last, count]), one]);
  return { rows, length, count, size };
}

/** Bytes of a part's scores. */
export function scoreBytesOf(node: AttentionNode, sizes: Readonly<Record<string, number>>): number {
  const { keyValueHeads, group } = headsOf(node);
  const [rows, length] = boundShape(node.inputs[3].shape, sizes);
  const { scoreBytes, fewestQueries, count } = node.parameters;
  const ofQuery = 4 * rows * keyValueHeads * group * length;
  if (count !== undefined) return ofQuery * Math.ceil(length / count);
  return ofQuery * Math.min(length, Math.max(fewestQueries, Math.floor(scoreBytes / ofQuery)));
}

/** Some queries of every row with the keys that any of them attends to; heads stand in groups. */
export interface AttentionPart {
  /** [rows, key-value heads, group · queries, head size] */
  readonly queries: string;
  /** [rows, key-value heads, keys, head size] */
  readonly keys: string;
  readonly values: string;
  /** Softmax of the scores, [rows, key-value heads, group · queries, keys]. */
  readonly weights: string;
  /** tanh(s / c) of the scores where they are capped, in the form of `weights`. */
  readonly squashed: string | undefined;
  /** The same queries of another tensor [rows, length, width], in the form of `queries`. */
  ofQueries(x: Named): string;
  /** The form of `queries` → [rows, key-value heads, group, size, head size]: zeros behind a part of fewer. */
  filled(x: string): string;
  /** The form of `keys` → [rows, key-value heads, length, head size]: zeros for the other keys. */
  amongAllKeys(x: string): string;
}

/** Where things stand in the row, int64. */
interface Places {
  /** [queries] */
  readonly queriesAt: string;
  /** [keys] */
  readonly keysAt: string;
  /** The first key that each query may attend to, [rows or 1, queries]; undefined where it is the row's. */
  readonly earliestAt: string | undefined;
}

/** 0 where a query attends to a key, −∞ elsewhere: [queries, keys], or [rows, 1, 1, queries, keys]. */
function maskOf(onnx: OnnxWriter, { queriesAt, keysAt, earliestAt }: Places): string {
  const isLater = onnx.add('Greater', [keysAt, onnx.add('Reshape', [queriesAt, onnx.int64s([-1, 1])])]);
  const isHidden = earliestAt
    ? onnx.add('Or', [
        isLater,
        onnx.add('Less', [keysAt, onnx.add('Reshape', [earliestAt, onnx.int64s([0, 1, 1, -1, 1])])]),
      ])
    : isLater;
  return onnx.add('Where', [isHidden, onnx.float(Number.NEGATIVE_INFINITY), onnx.float(0)]);
}

/** The same in kernels of WebGPU, which has none for int64 nor for Or: only the places cross the bus. */
function webgpuMask(onnx: OnnxWriter, { queriesAt, keysAt, earliestAt }: Places): string {
  const asInt32 = (x: string) => onnx.add('Cast', [x], { to: { elementType: 'int32' } });
  const reshape = (x: string, ...shape: readonly number[]) => onnx.add('Reshape', [x, onnx.int64s(shape)]);
  const hidden = onnx.float(Number.NEGATIVE_INFINITY);
  const keys = asInt32(keysAt);
  const isLater = onnx.add('Greater', [keys, reshape(asInt32(queriesAt), -1, 1)]);
  const mask = onnx.add('Where', [isLater, hidden, onnx.float(0)]);
  if (!earliestAt) return mask;
  const isBefore = onnx.add('Less', [keys, reshape(asInt32(earliestAt), 0, 1, 1, -1, 1)]);
  return onnx.add('Where', [isBefore, hidden, mask]);
}

/**
 * Writes the scores of a part and their softmax.
 *
 * @param part its number, int64 [1]
 * @param inWebgpu whether WebGPU computes it: there the mask is made of int32, and the number may be beyond the last
 *   part, which is then some part that stands elsewhere too
 */
export function attentionPart(
  onnx: OnnxWriter,
  node: AttentionNode,
  multiply: Multiply,
  {
    length,
    size,
    part,
    inWebgpu = false,
  }: Pick<Division, 'length' | 'size'> & { readonly part: string; readonly inWebgpu?: boolean },
): AttentionPart {
  const { keyValueHeads, headSize, group } = headsOf(node);
  const [allQueries, allKeys, allValues, positions] = node.inputs;
  const bias = node.inputs[node.operator === 'AttentionInParts' ? 4 : 6];
  const [zero, one] = [onnx.int64s([0]), onnx.int64s([1])];
  // 0 keeps the size of that axis.
  const reshape = (x: Named, ...shape: readonly number[]) => onnx.add('Reshape', [x, onnx.int64s(shape)]);
  const slice = (x: Named, axis: number, from: string, to: string) =>
    onnx.add('Slice', [x, from, to, onnx.int64s([axis])]);
  const range = (from: string, to: string) => {
    const [start, end, step] = [from, to, one].map((n) => reshape(n));
    return onnx.add('Range', [start, end, step]);
  };

  const placed = onnx.add('Mul', [part, size]);
  const begin = inWebgpu ? onnx.add('Min', [placed, onnx.add('Sub', [length, one])]) : placed;
  const end = onnx.add('Min', [onnx.add('Add', [begin, size]), length]);
  const queriesAt = range(begin, end);
  const { packed, scale, softCap, window } = node.parameters;
  const begins: string[] = [];
  // Of its document, [rows, queries], and of its window, [1, queries].
  if (packed) begins.push(onnx.add('Sub', [queriesAt, slice(positions, 1, begin, end)]));
  if (window !== undefined)
    begins.push(reshape(onnx.add('Sub', [queriesAt, onnx.int64s([window - 1])]), 1, -1));
  const earliestAt = begins.length > 1 ? onnx.add('Max', begins) : begins[0];
  const earliest = earliestAt && reshape(onnx.add('ReduceMin', [earliestAt], { keepdims: 0 }), 1);
  const firstKey = earliest ? onnx.add('Max', [earliest, zero]) : zero;
  const keysAt = range(firstKey, end);
  const mask = (inWebgpu ? webgpuMask : maskOf)(onnx, { queriesAt, keysAt, earliestAt });

  const ofQueries = (x: Named) => {
    const perToken = reshape(slice(x, 1, begin, end), 0, 0, keyValueHeads, group, headSize);
    const perHead = onnx.add('Transpose', [perToken], { perm: [0, 2, 3, 1, 4] });
    return reshape(perHead, 0, 0, -1, headSize);
  };
  const queries = ofQueries(allQueries);
  const [keys, values] = [allKeys, allValues].map((x) => slice(x, 2, firstKey, end));
  const scores = multiply(onnx, queries, keys, { transposeB: true, alpha: scale });
  const squashed =
    softCap === undefined ? undefined : onnx.add('Tanh', [onnx.add('Div', [scores, onnx.float(softCap)])]);
  const capped = squashed ? onnx.add('Mul', [squashed, onnx.float(softCap!)]) : scores;
  const keyCount = onnx.add('Shape', [keysAt]);
  const shaped = (x: string, ...sizes: readonly number[]) =>
    onnx.add('Reshape', [x, onnx.add('Concat', [onnx.int64s(sizes), keyCount], { axis: 0 })]);
  const perQuery = shaped(capped, 0, 0, group, -1);
  const biased = bias
    ? onnx.add('Add', [perQuery, reshape(slice(bias, 2, firstKey, end), 0, keyValueHeads, group, 1, -1)])
    : perQuery;
  const masked = shaped(onnx.add('Add', [biased, mask]), 0, 0, -1);

  return {
    queries,
    keys,
    values,
    weights: onnx.add('Softmax', [masked], { axis: -1 }),
    squashed,
    ofQueries,
    filled: (x) => {
      const missing = onnx.add('Sub', [size, onnx.add('Sub', [end, begin])]);
      const pads = onnx.add('Concat', [onnx.int64s([0, 0, 0, 0, 0, 0, 0, 0]), missing, zero], { axis: 0 });
      return onnx.add('Pad', [reshape(x, 0, 0, group, -1, headSize), pads]);
    },
    amongAllKeys: (x) => {
      const behind = onnx.add('Sub', [length, end]);
      const pads = [onnx.int64s([0, 0]), firstKey, onnx.int64s([0, 0, 0]), behind, zero];
      return onnx.add('Pad', [x, onnx.add('Concat', pads, { axis: 0 })]);
    },
  };
}
