import type { TensorSource } from '../safetensors/safetensors-file.ts';
import type { QuantizedLayer } from './quantized-layer.ts';

/** A matrix [out, in], by which layers are multiplied. */
export interface MatrixSizes {
  readonly inputSize: number;
  readonly outputSize: number;
  /** The layer's float weight would be stored as [in, out]. */
  readonly transposed: boolean;
}

/** How the weights of a directory are quantized. */
export interface Quantization {
  /** "gptq, 4 bits". */
  readonly inWords: string;
  /** Last parts of the names of a quantized layer's tensors. */
  readonly parts: readonly string[];
  /**
   * A layer of the directory; undefined where it is not quantized.
   *
   * @throws FuseMeshError invalid_argument where it is not as config.json says
   */
  layer(source: TensorSource, module: string, sizes: MatrixSizes): Promise<QuantizedLayer | undefined>;
}
