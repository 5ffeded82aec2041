import type { GgufFile } from './gguf-file.ts';
import type { Metadata } from './metadata.ts';

/** How one architecture of GGUF becomes a family of Hugging Face's. */
export interface ImportedArchitecture {
  /** What config.json says of the model itself. */
  config(file: GgufFile, metadata: Metadata): ModelConfig | Promise<ModelConfig>;
  /** Tensors that are part of config.json and no weights. */
  readonly partsOfConfig?: readonly string[];
  /** Hugging Face's names for the parts outside of the blocks, without ".weight": `output_norm` is `model.norm`. */
  readonly modelParts: Readonly<Record<string, string>>;
  /** The same for the parts of a block. */
  readonly blockParts: Readonly<Record<string, string>>;
  /** Parts of a block of which each row is a weight by itself, by its number. */
  readonly partsByRow?: Readonly<Record<string, (row: number) => string>>;
  /** What the names of block 3's parts begin with. */
  blockPath(index: string): string;
  /** How the values of a part go from llama.cpp's form into Hugging Face's, where it has another. */
  reordered?(part: string, metadata: Metadata, shape: readonly number[]): Reordering | undefined;
}

/** A part of config.json. */
export type ModelConfig = Readonly<Record<string, unknown>> & { readonly model_type: string };

/** Puts the values of a tensor into another order, or back to what they were. */
export interface Reordering {
  /** Of the result. */
  shape(shape: readonly number[]): readonly number[];
  /** @param shape of the values as they are given */
  reorder(values: TensorValues, shape: readonly number[]): TensorValues;
}

/** float32, or as they are stored where they take two bytes. */
export type TensorValues = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
