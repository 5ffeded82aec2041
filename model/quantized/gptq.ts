import { z } from 'zod';
import type { TensorSource } from '../safetensors/safetensors-file.ts';
import { absent } from '../unset.ts';
import type { Quantization } from './quantization.ts';
import { blockSizeOf, perBlock } from './quantized-layer.ts';
import { finiteValues, integers, layerRefusal, nibble, partsOf, stored, transposed } from './stored-parts.ts';

/**
 * quantization_config of GPTQ (Frantar et al. 2022) as AutoGPTQ and GPTQModel write it. What changes the meaning of the
 * weights and is not here is refused.
 */
const schema = z
  .looseObject({
    bits: z.literal([4, 8], 'only 4 and 8 bits are supported'),
    group_size: z.union([z.literal(-1), z.number().int().positive()]),
    desc_act: z.boolean().default(false),
    checkpoint_format: z.literal(['gptq', 'gptq_v2'], 'only gptq and gptq_v2 are supported').nullish(),
    format: z.literal(['gptq', 'gptq_v2'], 'only gptq and gptq_v2 are supported').nullish(),
    is_marlin_format: absent('Marlin'),
    dynamic: absent('settings of single layers'),
    rotation: absent('rotation'),
    adapter: absent('an adapter inside'),
    pack_dtype: z.literal('int32', 'only int32 is supported').nullish(),
  })
  .transform(({ bits, group_size, desc_act, checkpoint_format, format }) => ({
    bits,
    groupSize: group_size,
    isOrdered: desc_act,
    // The first format stores zero points less one.
    zeroPointsLess: (checkpoint_format ?? format ?? 'gptq') === 'gptq' ? 1 : 0,
  }));

/**
 * Layers are `qweight` int32 [in · bits / 32, out], `scales` [groups, out], `qzeros` int32 [groups, out · bits / 32],
 * the lower bits first, and `g_idx` int32 [in], the group of each input: value = scale · (code − zero point).
 */
export function gptq(json: unknown): Quantization {
  const { bits, groupSize, isOrdered, zeroPointsLess } = schema.parse(json);
  const perWord = 32 / bits;
  return {
    inWords: `gptq, ${bits} bits`,
    parts: ['qweight', 'scales', 'qzeros', 'g_idx'],
    layer: async (source, module, { inputSize, outputSize }) => {
      if (!source.tensors.has(`${module}.qweight`)) return undefined;
      const groupLength = groupSize === -1 ? inputSize : groupSize;
      const refusal = layerRefusal(source, module);
      if (inputSize % groupLength > 0 || inputSize % perWord > 0 || outputSize % perWord > 0)
        throw refusal(
          `has ${inputSize} inputs and ${outputSize} outputs, which ${bits} bits in groups of ${groupLength} do not fill`,
        );
      const groups = inputSize / groupLength;
      const part = partsOf(source, module);
      const qweight = part('qweight', ['I32'], inputSize / perWord, outputSize);
      const scales = part('scales', ['F16', 'BF16', 'F32'], groups, outputSize);
      const qzeros = part('qzeros', ['I32'], groups, outputSize / perWord);
      const order = await orderOf(source, module, { inputSize, groupLength, isOrdered });
      const blockSize = blockSizeOf(groupLength);
      const blocksPerGroup = groupLength / blockSize;
      return {
        form: 'blocks',
        bits,
        blockSize,
        inputSize,
        outputSize,
        order,
        codes: async () => {
          const words = await integers(source, qweight);
          const ordered = order ? inOrder(words, order, { bits, inputSize, outputSize }) : words;
          return new Uint8Array(transposed(ordered, inputSize / perWord, outputSize).buffer);
        },
        scales: async () =>
          perBlock(transposed(await finiteValues(source, scales), groups, outputSize), blocksPerGroup),
        zeroPoints: async () => {
          const words = await integers(source, qzeros);
          const points = new Uint8Array(groups * outputSize);
          for (let i = 0; i < points.length; i++) {
            const point = nibble(words, i, bits) + zeroPointsLess;
            // Libraries read it as 0 or as 2^bits.
            if (point === 2 ** bits)
              throw refusal(
                `has a zero point of ${point}, which its format cannot hold: convert it to gptq_v2`,
              );
            points[i] = point;
          }
          return perBlock(transposed(points, groups, outputSize), blocksPerGroup);
        },
      };
    },
  };
}

/** Inputs by their group, where those of a group do not stand together (act-order). */
async function orderOf(
  source: TensorSource,
  module: string,
  { inputSize, groupLength, isOrdered }: { inputSize: number; groupLength: number; isOrdered: boolean },
): Promise<Int32Array<ArrayBuffer> | undefined> {
  const name = `${module}.g_idx`;
  if (!isOrdered && !source.tensors.has(name)) return undefined;
  const groupOf = await integers(source, stored(source, name, ['I32'], [inputSize]));
  if (groupOf.every((group, i) => group === Math.floor(i / groupLength))) return undefined;
  const order = Int32Array.from({ length: inputSize }, (_, i) => i).sort((a, b) => groupOf[a] - groupOf[b]);
  if (order.some((input, i) => groupOf[input] !== Math.floor(i / groupLength)))
    throw layerRefusal(source, module)(`has a g_idx that does not put ${groupLength} inputs into each group`);
  return order;
}

/** The packed rows of codes in another order: row j becomes row order[j] of the given ones. */
function inOrder(
  words: Int32Array<ArrayBuffer>,
  order: Int32Array,
  { bits, inputSize, outputSize }: { bits: number; inputSize: number; outputSize: number },
): Int32Array<ArrayBuffer> {
  const perWord = 32 / bits;
  const mask = 2 ** bits - 1;
  const ordered = new Int32Array(words.length);
  for (let j = 0; j < inputSize; j++) {
    const from = Math.floor(order[j] / perWord) * outputSize;
    const fromShift = bits * (order[j] % perWord);
    const to = Math.floor(j / perWord) * outputSize;
    const toShift = bits * (j % perWord);
    for (let out = 0; out < outputSize; out++)
      ordered[to + out] |= ((words[from + out] >>> fromShift) & mask) << toShift;
  }
  return ordered;
}
