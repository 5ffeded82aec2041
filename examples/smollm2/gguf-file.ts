import { type FileHandle, open } from 'node:fs/promises';
import { GGMLQuantizationType, gguf } from '@huggingface/gguf';
import { fromQ4_1, fromQ8_0 } from './ggml-blocks.ts';
import { type GgufMetadata, ggufMetadata } from './gguf-metadata.ts';

/** A tensor in a GGUF file. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** The ggml format of its values. */
  readonly type: GGMLQuantizationType;
  /** Where its bytes begin, from the file's first byte. */
  readonly offset: number;
}

/** How a type is stored: each block of `values` takes `bytes`. */
interface Format {
  readonly values: number;
  readonly bytes: number;
  readonly decode: (blocks: Uint8Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;
}

/** The types that this model's tensors have. */
const formats: { readonly [type in GGMLQuantizationType]?: Format } = {
  [GGMLQuantizationType.F32]: { values: 1, bytes: 4, decode: ({ buffer }) => new Float32Array(buffer) },
  [GGMLQuantizationType.Q4_1]: { values: 32, bytes: 20, decode: fromQ4_1 },
  [GGMLQuantizationType.Q8_0]: { values: 32, bytes: 34, decode: fromQ8_0 },
};

/** An open GGUF file; tensors are read when asked for. */
export class GgufFile {
  readonly metadata: GgufMetadata;
  readonly tensors: readonly GgufTensor[];
  readonly #handle: FileHandle;

  private constructor(metadata: GgufMetadata, tensors: readonly GgufTensor[], handle: FileHandle) {
    this.metadata = metadata;
    this.tensors = tensors;
    this.#handle = handle;
  }

  static async open(path: string): Promise<GgufFile> {
    const { metadata, tensorInfos, tensorDataOffset } = await gguf(path, { allowLocalFile: true });
    const tensors = tensorInfos.map(({ name, shape, dtype, offset }) => ({
      name,
      // ggml names the length of a row first.
      shape: shape.map(Number).reverse(),
      type: dtype,
      offset: Number(tensorDataOffset + offset),
    }));
    return new GgufFile(ggufMetadata.parse(metadata), tensors, await open(path, 'r'));
  }

  /**
   * A tensor's values, row by row.
   *
   * @throws RangeError when its type is not one that this model has
   */
  async readFloat32({ name, shape, type, offset }: GgufTensor): Promise<Float32Array<ArrayBuffer>> {
    const format = formats[type];
    if (format === undefined) throw new RangeError(`${name} has ggml's type ${GGMLQuantizationType[type]}`);
    const size = shape.reduce((product, length) => product * length, 1);
    const blocks = new Uint8Array((size / format.values) * format.bytes);
    const { bytesRead } = await this.#handle.read(blocks, 0, blocks.length, offset);
    if (bytesRead < blocks.length) throw new RangeError(`${name} ends after the file does`);
    return format.decode(blocks);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
