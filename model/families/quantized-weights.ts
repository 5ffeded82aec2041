import {
  add,
  gatherRows,
  linear,
  linearOfBlocks,
  linearOfTable,
  reshape,
  sum,
  transpose,
} from '../graph/expressions.ts';
import type { Graph, TensorData, Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { ElementType } from '../graph/tensor-type.ts';
import {
  hasKernel,
  type LayerByTable,
  type LayerInBlocks,
  type QuantizedLayer,
  valuesOf,
} from '../quantized/quantized-layer.ts';
import type { ModelWeights } from './architecture.ts';

/** Says where the values of a constant will lie, and remembers to bring them there. */
export type PlaceOfValues = (
  name: string,
  elementType: ElementType,
  shape: readonly number[],
  values: () => Promise<ArrayBufferView<ArrayBuffer>>,
) => TensorData;

/**
 * A model's weights in a graph where some are quantized.
 *
 * @param floats the weights that are not
 * @param layers the others, by the names of their modules
 * @param asTheyAre whether products are computed from the codes, where there is a kernel
 * @param place where the graph will find what it reads of the layers
 */
export function quantizedWeights(
  graph: Graph,
  floats: ModelWeights,
  layers: ReadonlyMap<string, QuantizedLayer>,
  { asTheyAre, place }: { readonly asTheyAre: boolean; readonly place: PlaceOfValues },
): ModelWeights {
  const made = new Map<string, Value>();
  const constant: MakeConstant = (name, elementType, shape, values) => {
    const value =
      made.get(name) ?? graph.constant(name, elementType, shape, place(name, elementType, shape, values));
    made.set(name, value);
    return value;
  };
  const matrix = (module: string, layer: QuantizedLayer): Value =>
    constant(`${module}.weight`, 'float32', [layer.outputSize, layer.inputSize], () => valuesOf(layer));
  return {
    weight: (name) => {
      const module = moduleOf(name);
      const layer = layers.get(module);
      return layer ? matrix(module, layer) : floats.weight(name);
    },
    // Widened, a large vocabulary would take more memory than all quantized layers of a small model.
    table: (name) => (asTheyAre && !layers.has(moduleOf(name)) ? beforeCast(floats.weight(name)) : undefined),
    linear: (module, x) => {
      const layer = layers.get(module);
      if (!layer) return undefined;
      if (!asTheyAre || !hasKernel(layer)) return linear(x, matrix(module, layer));
      return layer.form === 'blocks'
        ? productOfBlocks(x, module, layer, constant)
        : productOfTable(x, module, layer, constant);
    },
  };
}

/** The module of a weight. */
export const moduleOf = (weight: string): string => weight.replace(/\.weight$/, '');

/** What a value was before it was cast. */
const beforeCast = (value: Value): Value =>
  value.origin.kind === 'node' && value.origin.node.operator === 'Cast' ? value.origin.node.inputs[0] : value;

type MakeConstant = (
  name: string,
  elementType: ElementType,
  shape: readonly number[],
  values: () => Promise<ArrayBufferView<ArrayBuffer>>,
) => Value;

function productOfBlocks(x: Value, module: string, layer: LayerInBlocks, constant: MakeConstant): Value {
  const { bits, blockSize, inputSize, outputSize, order, zeroPoints, offsets } = layer;
  const blocks = inputSize / blockSize;
  const perRow = [outputSize, blocks];
  const ordered = order
    ? columnsOf(
        x,
        constant(`${module}.order`, 'int32', [inputSize], async () => order),
      )
    : x;
  const codes = constant(`${module}.codes`, 'uint8', [...perRow, (blockSize * bits) / 8], layer.codes);
  const scales = constant(`${module}.scales`, 'float32', perRow, layer.scales);
  const packedPoints = [outputSize, Math.ceil((blocks * bits) / 8)];
  const points =
    zeroPoints &&
    constant(`${module}.zero_points`, 'uint8', packedPoints, async () =>
      packed(await zeroPoints(), bits, blocks),
    );
  const y = linearOfBlocks(
    ordered,
    { codes, scales, zeroPoints: points },
    { bits, blockSize, inputSize, outputSize },
  );
  if (!offsets) return y;
  // Σ x · (scale · code + offset) = Σ x · scale · (code − middle) + Σ over blocks (Σ x) · (offset + middle · scale).
  const middle = 2 ** (bits - 1);
  const lifted = constant(`${module}.offsets`, 'float32', perRow, async () => {
    const [ofBlocks, factors] = [await offsets(), await layer.scales()];
    return ofBlocks.map((offset, i) => offset + middle * factors[i]);
  });
  const rows = product(ordered.shape.slice(0, -1));
  const sums = sum(reshape(ordered, [rows, blocks, blockSize]), [-1]);
  return add(y, linear(sums, lifted));
}

function productOfTable(x: Value, module: string, layer: LayerByTable, constant: MakeConstant): Value {
  const { blockSize, inputSize, outputSize, table } = layer;
  const values = inputSize * outputSize;
  const codes = constant(`${module}.codes`, 'uint8', [values / 2], layer.codes);
  const largest = constant(`${module}.largest`, 'float32', [values / blockSize], layer.largest);
  return linearOfTable(x, { codes, largest }, { blockSize, inputSize, outputSize, table });
}

/** Columns of a matrix [rows, columns] in another order. */
const columnsOf = (x: Value, order: Value): Value =>
  transpose(gatherRows(transpose(x, [1, 0]), order), [1, 0]);

/** Zero points of each row, the lower bits first; the last byte may be half full. */
function packed(points: Uint8Array<ArrayBuffer>, bits: 4 | 8, perRow: number): Uint8Array<ArrayBuffer> {
  if (bits === 8) return points;
  const bytesPerRow = Math.ceil(perRow / 2);
  const rows = points.length / perRow;
  const bytes = new Uint8Array(rows * bytesPerRow);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < perRow; i++)
      bytes[row * bytesPerRow + (i >> 1)] |= points[row * perRow + i] << (4 * (i & 1));
  return bytes;
}
