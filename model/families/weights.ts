import { relative } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { cast } from '../graph/expressions.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { elementCount, formatShape, sameShape } from '../graph/shape.ts';
import type { ElementType } from '../graph/tensor-type.ts';
import { readQuantization } from '../quantized/read-quantization.ts';
import { commonDirectory } from '../safetensors/common-directory.ts';
import { openModelTensors } from '../safetensors/model-tensors.ts';
import {
  float32Of,
  readStored,
  type StoredTensor,
  type TensorSource,
} from '../safetensors/safetensors-file.ts';
import type { Architecture, ModelWeights } from './architecture.ts';

/**
 * Opens the weights of a Hugging Face directory that the architecture needs, and checks that all are there.
 *
 * @throws FuseMeshError not_found when there is no file, invalid_argument when a weight is missing in it, or
 * has another shape than config.json says, is not floating point, or is quantized
 */
export async function openWeights(directory: string, architecture: Architecture): Promise<TensorSource> {
  const quantization = await readQuantization(directory);
  if (quantization)
    throw new FuseMeshError(
      'invalid_argument',
      `${directory} is quantized (${quantization.inWords}): it can teach and generate, but not be trained or changed; give the model with float weights that it was made from`,
    );
  const stored = await openModelTensors(directory);
  const source = underFullNames(stored, architecture);
  try {
    for (const [name, shape] of architecture.weights)
      checkWeight(source.tensors.get(name), name, shape, directory);
    return source;
  } catch (error) {
    await source.close();
    throw withQuantization(error, stored);
  }
}

/** What no float weights have beside them. */
const partsOfQuantization =
  /\.(qweight|qzeros|scales|absmax|quant_map|weight_(scale|scale_inv|packed|zero_point|shape)|SCB|W_q)$/;

/** Weights may be quantized although config.json says nothing of it: then that is why they do not fit. */
function withQuantization(error: unknown, { tensors }: TensorSource): unknown {
  if (!(error instanceof FuseMeshError)) return error;
  const part = [...tensors.values()].find(
    ({ name, dtype }) => partsOfQuantization.test(name) || dtype.startsWith('F8_'),
  );
  if (part === undefined) return error;
  return new FuseMeshError(
    error.code,
    `${error.message}. The weights look quantized ("${part.name}" is ${part.dtype}), but config.json has no quantization_config: give the config.json that was written with them, or the model with float weights`,
    { cause: error },
  );
}

/**
 * A source that holds the bare base model, or of a tied head and embedding the head, or several weights in one tensor,
 * under the names that its weights have in the whole model.
 */
function underFullNames(
  source: TensorSource,
  { baseModelPrefix, weights, tiedHead, placesWithin }: Architecture,
): TensorSource {
  const storedName = (name: string) => {
    const bare = name.startsWith(baseModelPrefix) ? name.slice(baseModelPrefix.length) : name;
    // Of tensors that share their values, safetensors keeps one, under either name.
    const one = name === tiedHead?.embedding ? tiedHead.head : name;
    return [name, bare, one].find((candidate) => source.tensors.has(candidate)) ?? name;
  };
  const tensors = new Map<string, StoredTensor>();
  const parts = new Map<string, StoredTensor>();
  for (const [name, shape] of weights) {
    const tensor = source.tensors.get(storedName(name));
    if (tensor) tensors.set(name, { ...tensor, name });
    else {
      const place = placesWithin?.get(name);
      const whole = place && source.tensors.get(storedName(place.tensor));
      const part = whole && partOf(whole, { name, shape, begin: place.begin });
      if (part) parts.set(name, part);
    }
  }
  for (const [name, part] of parts) tensors.set(name, part);
  return {
    tensors,
    read: (name) => {
      const part = parts.get(name);
      return part ? readStored(part) : source.read(storedName(name));
    },
    readFloat32: async (name) => {
      const part = parts.get(name);
      return part ? float32Of(part, await readStored(part)) : source.readFloat32(storedName(name));
    },
    close: () => source.close(),
  };
}

/** A weight that lies in a tensor with others, from its value `begin` on; undefined where that has other rows or too few. */
function partOf(
  whole: StoredTensor,
  {
    name,
    shape,
    begin,
  }: { readonly name: string; readonly shape: readonly number[]; readonly begin: number },
): StoredTensor | undefined {
  const bytesPerValue = whole.byteLength / elementCount(whole.shape);
  const [offset, byteLength] = [begin * bytesPerValue, elementCount(shape) * bytesPerValue];
  if (whole.shape.at(-1) !== shape.at(-1) || offset + byteLength > whole.byteLength) return undefined;
  return { ...whole, name, shape, offset: whole.offset + offset, byteLength };
}

/** @throws FuseMeshError invalid_argument where a weight is not as config.json asks for */
export function checkWeight(
  tensor: StoredTensor | undefined,
  name: string,
  shape: readonly number[],
  directory: string,
): void {
  const refusal = (problem: string) =>
    new FuseMeshError('invalid_argument', `The weight "${name}" in ${directory} ${problem}`);
  if (!tensor) throw refusal('is missing; its config.json asks for it');
  if (!sameShape(tensor.shape, shape))
    throw refusal(`is ${formatShape(tensor.shape)}; its config.json asks for ${formatShape(shape)}`);
  if (!elementTypes[tensor.dtype]) throw refusal(`is ${tensor.dtype}; use F64, F32, F16 or BF16`);
}

/** Reads all weights that an architecture needs, in float32, by their names. */
export async function readWeights(
  source: TensorSource,
  architecture: Architecture,
): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  const weights = new Map<string, Float32Array<ArrayBuffer>>();
  for (const name of architecture.weights.keys()) weights.set(name, await source.readFloat32(name));
  return weights;
}

/** The weights of a model that stay in their files while a session reads them. */
export interface FileWeights {
  /** What the session must be opened with as weightsDirectory. */
  readonly directory: string;
  /** An architecture's weights as float32 constants of a graph, which ONNX Runtime reads from the files itself. */
  constants(graph: Graph): ModelWeights;
}

/**
 * @param source of {@link openWeights}; it may be closed before the session is opened
 * @param others further files that the session reads: the directory holds them too
 */
export function fileWeights(
  architecture: Architecture,
  { tensors }: TensorSource,
  others: readonly string[] = [],
): FileWeights {
  const stored = [...architecture.weights.keys()].map((name) => tensors.get(name)!);
  const directory = commonDirectory([...stored.map(({ path }) => path), ...others]);
  const constant = (graph: Graph, { name, dtype, shape, path, offset, byteLength }: StoredTensor): Value => {
    const data = { kind: 'file', name: relative(directory, path), offset, byteLength } as const;
    return cast(graph.constant(name, elementTypes[dtype]!, shape, data), 'float32');
  };
  return {
    directory,
    constants: (graph) => {
      const constants = new Map(stored.map((tensor) => [tensor.name, constant(graph, tensor)]));
      return { weight: (name) => constants.get(name)! };
    },
  };
}

const elementTypes: Readonly<Partial<Record<StoredTensor['dtype'], ElementType>>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};
