import { z } from 'zod';
import type { Quantization } from './quantization.ts';
import { blockSizeOf, perBlock } from './quantized-layer.ts';
import { finiteValues, layerRefusal, partsOf } from './stored-parts.ts';

const settings = z.looseObject({
  bits: z.literal([4, 8], 'only 4 and 8 bits are supported'),
  group_size: z.literal([16, 32, 64, 128], 'only 16, 32, 64 and 128 are supported'),
  mode: z.literal('affine', 'only affine is supported').default('affine'),
});

/** `quantization` of config.json as mlx-lm writes it: for all layers, and by the names of single ones. */
const schema = settings.catchall(z.union([settings, z.boolean(), z.string(), z.number(), z.null()]));

/**
 * Layers and embeddings are `weight` uint32 [out, in · bits / 32], the lower bits first, `scales` and `biases`
 * [out, groups]: value = scale · code + bias (mlx.core.quantize).
 */
export function mlx(json: unknown): Quantization {
  const config = schema.parse(json);
  return {
    inWords: `mlx, ${config.bits} bits`,
    parts: ['weight', 'scales', 'biases'],
    layer: async (source, module, { inputSize, outputSize, transposed }) => {
      if (!source.tensors.has(`${module}.scales`)) return undefined;
      const refusal = layerRefusal(source, module);
      const own = config[module];
      if (own === false) throw refusal('is quantized, against its config.json');
      const { bits, group_size: groupSize } = typeof own === 'object' && own !== null ? own : config;
      if (transposed || inputSize % groupSize > 0)
        throw refusal(
          `has ${inputSize} inputs, which groups of ${groupSize} do not fill, or is no linear layer of MLX`,
        );
      const groups = inputSize / groupSize;
      const part = partsOf(source, module);
      const weight = part('weight', ['U32'], outputSize, (inputSize * bits) / 32);
      const [scales, biases] = ['scales', 'biases'].map((name) =>
        part(name, ['F16', 'BF16', 'F32'], outputSize, groups),
      );
      const blockSize = blockSizeOf(groupSize);
      return {
        form: 'blocks',
        bits,
        blockSize,
        inputSize,
        outputSize,
        codes: () => source.read(weight),
        scales: async () => perBlock(await finiteValues(source, scales), groupSize / blockSize),
        offsets: async () => perBlock(await finiteValues(source, biases), groupSize / blockSize),
      };
    },
  };
}
