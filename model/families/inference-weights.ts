import { relative } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { formatShape } from '../graph/shape.ts';
import type { Quantization } from '../quantized/quantization.ts';
import { hasKernel, type QuantizedLayer } from '../quantized/quantized-layer.ts';
import { readQuantization } from '../quantized/read-quantization.ts';
import { openModelTensors } from '../safetensors/model-tensors.ts';
import type { StoredTensor, TensorSource } from '../safetensors/safetensors-file.ts';
import type { Architecture } from './architecture.ts';
import { refuseNonFinite } from './finite-weights.ts';
import { moduleOf, type PlaceOfValues, quantizedWeights } from './quantized-weights.ts';
import { ScratchFile } from './scratch-file.ts';
import { checkWeight, type FileWeights, fileWeights, openWeights } from './weights.ts';

/** The weights of a model that computes and is not trained. */
export interface InferenceWeights extends FileWeights {
  /** How quantized weights are computed, in a line for the log; undefined where none are quantized. */
  readonly inWords: string | undefined;
  /** @throws FuseMeshError data_loss where a float weight is NaN or infinite; of quantized ones, opening a session does */
  refuseNonFinite(): Promise<void>;
  /** When the graphs are built: makes what their constants need that no file has as it is. */
  prepare(): Promise<void>;
  /** When the sessions are open. */
  close(): Promise<void>;
}

/**
 * Opens the weights of a Hugging Face directory, float or quantized, and checks that all are there.
 *
 * @param onDevice whether a GPU computes: quantized weights become float32 for it
 * @throws FuseMeshError as {@link openWeights}, and for a quantization that is not supported
 */
export async function openInferenceWeights(
  directory: string,
  architecture: Architecture,
  { onDevice }: { readonly onDevice: boolean },
): Promise<InferenceWeights> {
  const quantization = await readQuantization(directory);
  return quantization === undefined
    ? openFloat(directory, architecture)
    : openQuantized(directory, architecture, quantization, onDevice);
}

async function openFloat(directory: string, architecture: Architecture): Promise<InferenceWeights> {
  const source = await openWeights(directory, architecture);
  return {
    ...fileWeights(architecture, source),
    inWords: undefined,
    prepare: async () => {},
    refuseNonFinite: () => refuseNonFinite(source, architecture),
    close: () => source.close(),
  };
}

async function openQuantized(
  directory: string,
  architecture: Architecture,
  quantization: Quantization,
  onDevice: boolean,
): Promise<InferenceWeights> {
  const source = withFullNames(await openModelTensors(directory), architecture);
  return closingOnError(source, async () => {
    const { weights } = architecture;
    const layers = new Map<string, QuantizedLayer>();
    const floats = new Map<string, readonly number[]>();
    for (const [name, shape] of weights) {
      const module = moduleOf(name);
      const layer = await layerOf(source, quantization, architecture, name);
      if (layer) layers.set(module, layer);
      else {
        checkWeight(source.tensors.get(name), name, shape, directory);
        floats.set(name, shape);
      }
    }
    refuseStrays(source, architecture, quantization, layers);
    const ofFloats = { ...architecture, weights: floats };
    const scratch = new ScratchFile();
    const files = fileWeights(ofFloats, source, [scratch.path]);
    const asTheyAre = [...layers.values()].filter((layer) => !onDevice && hasKernel(layer)).length;
    const place: PlaceOfValues = (...tensor) => ({
      kind: 'file',
      name: relative(files.directory, scratch.path),
      ...scratch.place(...tensor),
    });
    return {
      directory: files.directory,
      constants: (graph) =>
        quantizedWeights(graph, files.constants(graph), layers, { asTheyAre: !onDevice, place }),
      inWords: `Of its quantized weights (${quantization.inWords}), ${asTheyAre} are computed as they are, ${layers.size - asTheyAre} as float32`,
      prepare: () => scratch.write(),
      refuseNonFinite: () => refuseNonFinite(source, ofFloats),
      close: async () => {
        await source.close();
        await scratch.remove();
      },
    };
  });
}

async function layerOf(
  source: TensorSource,
  quantization: Quantization,
  { weights, linearLayers }: Architecture,
  name: string,
): Promise<QuantizedLayer | undefined> {
  const [outputSize, inputSize, ...others] = weights.get(name)!;
  if (!name.endsWith('.weight') || inputSize === undefined || others.length > 0) return undefined;
  const module = moduleOf(name);
  const sizes = linearLayers.get(module) ?? { inputSize, outputSize, transposed: false };
  return quantization.layer(source, module, sizes);
}

/** What belongs to no layer may change what the model computes, as AWQ's scales of activations do. */
function refuseStrays(
  { tensors }: TensorSource,
  { weights }: Architecture,
  { parts }: Quantization,
  layers: ReadonlyMap<string, QuantizedLayer>,
): void {
  for (const { name, path, shape } of tensors.values()) {
    const [module] = [...layers.keys()].filter((candidate) => name.startsWith(`${candidate}.`));
    const part = name.slice(name.lastIndexOf('.') + 1);
    if (weights.has(name) || module !== undefined || part === 'weight' || !parts.includes(part)) continue;
    throw new FuseMeshError(
      'invalid_argument',
      `${path}: "${name}" ${formatShape(shape)} belongs to no layer that config.json asks for: use another quantization of the model`,
    );
  }
}

/** All tensors of a file of the bare base model have their names in the whole model too. */
function withFullNames(source: TensorSource, { baseModelPrefix }: Architecture): TensorSource {
  const { tensors: stored } = source;
  if ([...stored.keys()].some((name) => name.startsWith(baseModelPrefix))) return source;
  const storedName = (name: string) => (stored.has(name) ? name : name.slice(baseModelPrefix.length));
  const tensors = new Map<string, StoredTensor>(stored);
  for (const tensor of stored.values()) {
    const name = `${baseModelPrefix}${tensor.name}`;
    tensors.set(name, { ...tensor, name });
    if (!tensor.name.startsWith('lm_head')) tensors.delete(tensor.name);
  }
  return {
    tensors,
    read: (name) => source.read(storedName(name)),
    readFloat32: (name) => source.readFloat32(storedName(name)),
    close: () => source.close(),
  };
}

async function closingOnError<T>(source: TensorSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await source.close();
    throw error;
  }
}
