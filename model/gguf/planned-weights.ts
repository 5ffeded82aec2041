import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Architecture } from '../families/architecture.ts';
import { elementCount, formatShape, sameShape } from '../graph/shape.ts';
import type { TensorInParts } from '../safetensors/write-safetensors.ts';
import type { BlockFormat } from './block-formats.ts';
import type { GgufFile, GgufTensor } from './gguf-file.ts';
import type { ImportedArchitecture, Reordering, TensorValues } from './imported-architecture.ts';
import type { Metadata } from './metadata.ts';

/** Factors on the rotary frequencies: part of config.json, and no weight. */
export const rotaryFactors = 'rope_freqs.weight';

/** About so many bytes of values are made at once. */
const partBytes = 1 << 24;
/** A long message of a file of another kind helps nobody. */
const mostProblems = 5;

/** A weight of the model to be, and the tensor of which it is made. */
export interface PlannedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly source: ReadableTensor;
  readonly reordering: Reordering | undefined;
  /** The row of the tensor that it is; undefined where it is the whole. */
  readonly row?: number;
}

type ReadableTensor = GgufTensor & { readonly format: BlockFormat };

/**
 * Finds a place for every tensor of a file, and a tensor for every weight of the model.
 *
 * @throws FuseMeshError invalid_argument naming the tensors with no place, of a wrong shape or of a kind that we cannot
 *   read, and the weights without a tensor
 */
export function plannedWeights(
  file: GgufFile,
  metadata: Metadata,
  imported: ImportedArchitecture,
  architecture: Architecture,
): PlannedWeight[] {
  const problems: string[] = [];
  const weights: PlannedWeight[] = [];
  for (const tensor of file.tensors.values()) {
    if (tensor.name === rotaryFactors || imported.partsOfConfig?.includes(tensor.name)) continue;
    const rows = weightsOfRows(tensor, imported, architecture);
    if (rows !== undefined) {
      weights.push(...rows);
      continue;
    }
    const place = placeOf(tensor.name, imported);
    const expected = place && architecture.weights.get(place.name);
    if (place === undefined || expected === undefined) {
      problems.push(`its tensor ${tensor.name} has no place in a ${architecture.family}`);
      continue;
    }
    const reordering = imported.reordered?.(place.part, metadata, tensor.shape);
    const shape = reordering?.shape(tensor.shape) ?? tensor.shape;
    if (!sameShape(shape, expected)) {
      problems.push(`its tensor ${tensor.name} makes ${formatShape(shape)} and not ${formatShape(expected)}`);
    } else if (!isReadable(tensor)) {
      problems.push(`its tensor ${tensor.name} is ${tensor.type}, which cannot be read`);
    } else {
      weights.push({ name: place.name, shape, source: tensor, reordering });
    }
  }
  if (problems.length === 0) {
    const found = new Set(weights.map(({ name }) => name));
    const missing = [...architecture.weights.keys()].filter((name) => !found.has(name));
    problems.push(...missing.map((name) => `it has no tensor for ${name}`));
  }
  if (problems.length === 0) return weights;
  const more = problems.length - mostProblems;
  throw new FuseMeshError(
    'invalid_argument',
    `${file.path} cannot be imported: ${problems.slice(0, mostProblems).join('; ')}${more > 0 ? `; and ${more} more` : ''}.`,
  );
}

/** The weights of a tensor that has one in each row; undefined where it is no such tensor, or not of this model. */
function weightsOfRows(
  tensor: GgufTensor,
  { partsByRow, blockPath }: ImportedArchitecture,
  architecture: Architecture,
): PlannedWeight[] | undefined {
  const [, block, part, kind] = tensorName.exec(tensor.name) ?? [];
  const nameOf = block !== undefined && part !== undefined ? partsByRow?.[part] : undefined;
  const [count, ...shape] = tensor.shape;
  if (nameOf === undefined || !isReadable(tensor)) return undefined;
  const names = Array.from({ length: count }, (_, row) => `${blockPath(block)}.${nameOf(row)}.${kind}`);
  const fits = names.every((name) => sameShape(architecture.weights.get(name) ?? [], shape));
  return fits
    ? names.map((name, row) => ({ name, shape, source: tensor, reordering: undefined, row }))
    : undefined;
}

const tensorName = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/;

/** `blk.3.attn_q.weight` is `self_attn.q_proj.weight` of block 3. */
function placeOf(
  tensor: string,
  { modelParts, blockParts, blockPath }: ImportedArchitecture,
): { readonly name: string; readonly part: string } | undefined {
  const [, block, part, kind] = tensorName.exec(tensor) ?? [];
  if (part === undefined) return undefined;
  const known = block === undefined ? modelParts[part] : blockParts[part];
  if (known === undefined) return undefined;
  return { name: `${block === undefined ? known : `${blockPath(block)}.${known}`}.${kind}`, part };
}

const isReadable = (tensor: GgufTensor): tensor is ReadableTensor => tensor.format !== undefined;

/**
 * A weight in the format that holds its values as they are: that of the file, and float32 where it is quantised.
 *
 * @param onPart is told of the bytes of each part
 */
export function inParts(
  file: GgufFile,
  { name, shape, source, reordering, row: only }: PlannedWeight,
  onPart: (bytes: number) => void,
): TensorInParts {
  return {
    name,
    shape,
    dtype: source.format.dtype,
    parts: async function* () {
      const [first, rows] =
        only === undefined ? [0, elementCount(source.shape.slice(0, -1))] : [only, only + 1];
      const rowBytes = source.shape.at(-1)! * (source.format.dtype === 'F32' ? 4 : 2);
      // What is put into another order has to be there as a whole.
      const atOnce = reordering ? rows : Math.max(1, Math.floor(partBytes / rowBytes));
      for (let row = first; row < rows; row += atOnce) {
        const values = await valuesOfRows(file, source, row, Math.min(atOnce, rows - row));
        const { buffer } = reordering?.reorder(values, source.shape) ?? values;
        yield new Uint8Array(buffer);
        onPart(buffer.byteLength);
      }
    },
  };
}

/**
 * All values of a small tensor.
 *
 * @throws FuseMeshError invalid_argument when it is not float32
 */
export async function valuesOf(file: GgufFile, tensor: GgufTensor): Promise<Float32Array> {
  const values =
    isReadable(tensor) && (await valuesOfRows(file, tensor, 0, elementCount(tensor.shape.slice(0, -1))));
  if (values instanceof Float32Array) return values;
  throw new FuseMeshError(
    'invalid_argument',
    `${file.path}: ${tensor.name} is ${tensor.type}; it must be F32.`,
  );
}

/** Values of some rows. */
async function valuesOfRows(
  file: GgufFile,
  tensor: ReadableTensor,
  firstRow: number,
  rows: number,
): Promise<TensorValues> {
  const { dtype, decode } = tensor.format;
  const blocks = await file.readRows(tensor, firstRow, rows);
  if (decode === undefined)
    return dtype === 'F32' ? new Float32Array(blocks.buffer) : new Uint16Array(blocks.buffer);
  const values = new Float32Array(rows * tensor.shape.at(-1)!);
  decode(blocks, values);
  return values;
}
