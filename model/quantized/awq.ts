import { z } from 'zod';
import type { Quantization } from './quantization.ts';
import { blockSizeOf, perBlock } from './quantized-layer.ts';
import { finiteValues, integers, layerRefusal, partsOf, transposed } from './stored-parts.ts';

/** quantization_config of AWQ (Lin et al. 2023) as AutoAWQ writes it. */
const schema = z.looseObject({
  bits: z.literal(4, 'only 4 bits are supported').optional(),
  w_bit: z.literal(4, 'only 4 bits are supported').optional(),
  group_size: z.union([z.literal(-1), z.number().int().positive()]).optional(),
  q_group_size: z.union([z.literal(-1), z.number().int().positive()]).optional(),
  version: z.string().toLowerCase().pipe(z.literal('gemm', 'only gemm is supported')).default('gemm'),
  checkpoint_format: z.literal('gemm', 'only gemm is supported').nullish(),
  format: z.literal('gemm', 'only gemm is supported').nullish(),
  zero_point: z.literal(true, 'only true is supported').default(true),
});

/** Output 8c + order[i] is in bits 4i … 4i + 3 of word c. */
const order = [0, 2, 4, 6, 1, 3, 5, 7];
const perWord = 8;

/**
 * Layers are `qweight` int32 [in, out / 8], `scales` [groups, out] and `qzeros` int32 [groups, out / 8]:
 * value = scale · (code − zero point).
 */
export function awq(json: unknown): Quantization {
  const config = schema.parse(json);
  const groupSize = config.group_size ?? config.q_group_size ?? 128;
  return {
    inWords: 'awq, 4 bits',
    parts: ['qweight', 'scales', 'qzeros'],
    layer: async (source, module, { inputSize, outputSize }) => {
      if (!source.tensors.has(`${module}.qweight`)) return undefined;
      const groupLength = groupSize === -1 ? inputSize : groupSize;
      if (inputSize % groupLength > 0 || inputSize % 2 > 0 || outputSize % perWord > 0)
        throw layerRefusal(
          source,
          module,
        )(
          `has ${inputSize} inputs and ${outputSize} outputs, which 4 bits in groups of ${groupLength} do not fill`,
        );
      const groups = inputSize / groupLength;
      const part = partsOf(source, module);
      const qweight = part('qweight', ['I32'], inputSize, outputSize / perWord);
      const scales = part('scales', ['F16', 'BF16', 'F32'], groups, outputSize);
      const qzeros = part('qzeros', ['I32'], groups, outputSize / perWord);
      const blockSize = blockSizeOf(groupLength);
      const blocksPerGroup = groupLength / blockSize;
      return {
        form: 'blocks',
        bits: 4,
        blockSize,
        inputSize,
        outputSize,
        codes: async () => {
          const byInput = inOrderOfOutputs(await integers(source, qweight));
          const codes = new Uint8Array((outputSize * inputSize) / 2);
          for (let input = 0; input < inputSize; input++) {
            const shift = 4 * (input & 1);
            const row = input * outputSize;
            for (let out = 0, at = input >> 1; out < outputSize; out++, at += inputSize / 2)
              codes[at] |= byInput[row + out] << shift;
          }
          return codes;
        },
        scales: async () =>
          perBlock(transposed(await finiteValues(source, scales), groups, outputSize), blocksPerGroup),
        zeroPoints: async () =>
          perBlock(
            transposed(inOrderOfOutputs(await integers(source, qzeros)), groups, outputSize),
            blocksPerGroup,
          ),
      };
    },
  };
}

/** A byte for each output of each word. */
function inOrderOfOutputs(words: Int32Array): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(perWord * words.length);
  for (let word = 0; word < words.length; word++)
    for (let i = 0; i < perWord; i++) values[perWord * word + order[i]] = (words[word] >>> (4 * i)) & 15;
  return values;
}
