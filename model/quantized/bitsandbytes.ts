import { z } from 'zod';
import type { TensorSource } from '../safetensors/safetensors-file.ts';
import type { MatrixSizes, Quantization } from './quantization.ts';
import { blockSizeOf, type LayerByTable, type LayerInBlocks, perBlock } from './quantized-layer.ts';
import { finite, finiteValues, layerRefusal, stored } from './stored-parts.ts';
import { tableValues } from './tables.ts';

const flag = z.boolean().default(false);

/** quantization_config of bitsandbytes. The sizes stand beside each layer. */
const schema = z.looseObject({
  load_in_4bit: flag,
  load_in_8bit: flag,
  bnb_4bit_quant_type: z.literal(['nf4', 'fp4'], 'only nf4 and fp4 are supported').default('fp4'),
  bnb_4bit_quant_storage: z.literal('uint8', 'only uint8 is supported').default('uint8'),
});

/** What stands beside a 4-bit layer as JSON in bytes, its nested figures where the factors are quantized too. */
const stateSchema = z.looseObject({
  quant_type: z.literal(['nf4', 'fp4'], 'only nf4 and fp4 are supported'),
  blocksize: z.number().int().positive(),
  shape: z.tuple([z.number(), z.number()]),
  nested_blocksize: z.number().int().positive().optional(),
  nested_offset: z.number().optional(),
});

/**
 * Layers of 4 bits are `weight` uint8 [out · in / 2, 1], the higher bits first, with the factors of blocks of the
 * matrix row by row; those of 8 bits `weight` int8 [out, in] with `SCB` [out]: value = code · SCB / 127.
 */
export function bitsandbytes(json: unknown): Quantization {
  const { load_in_4bit, load_in_8bit } = schema.parse(json);
  if (load_in_4bit === load_in_8bit)
    throw new z.ZodError([
      {
        code: 'custom',
        path: ['load_in_4bit'],
        message: 'one of load_in_4bit and load_in_8bit must be true',
        input: json,
      },
    ]);
  return {
    inWords: `bitsandbytes, ${load_in_4bit ? 4 : 8} bits`,
    parts: ['weight', 'absmax', 'quant_map', 'nested_absmax', 'nested_quant_map', 'SCB', 'weight_format'],
    layer: async (source, module, sizes) => {
      const { tensors } = source;
      const weight = `${module}.weight`;
      const state = (['nf4', 'fp4'] as const)
        .map((table) => `${weight}.quant_state.bitsandbytes__${table}`)
        .find((name) => tensors.has(name));
      if (state === undefined && !tensors.has(`${module}.SCB`)) return undefined;
      if (sizes.transposed) throw layerRefusal(source, module)('is no linear layer of bitsandbytes');
      return state === undefined ? eightBits(source, module, sizes) : fourBits(source, module, sizes, state);
    },
  };
}

async function fourBits(
  source: TensorSource,
  module: string,
  { inputSize, outputSize }: MatrixSizes,
  stateName: string,
): Promise<LayerByTable> {
  const refusal = layerRefusal(source, module);
  const name = `${module}.weight`;
  const state = parsed(await source.read(stateName), refusal);
  const { quant_type: table, blocksize, shape } = state;
  const count = inputSize * outputSize;
  if (shape[0] !== outputSize || shape[1] !== inputSize)
    throw refusal(`is [${shape.join(', ')}]; its config.json asks for [${outputSize}, ${inputSize}]`);
  if (count % blocksize > 0) throw refusal(`does not fill blocks of ${blocksize} values`);
  const map = await finiteValues(source, stored(source, `${name}.quant_map`, ['F32'], [16]));
  if (map.some((value, code) => Math.abs(value - tableValues[table][code]) > 1e-7))
    throw refusal(`has another table (quant_map) than ${table}`);
  const codes = stored(source, name, ['U8'], [count / 2, 1]);
  const blocks = count / blocksize;
  const nested = state.nested_blocksize !== undefined;
  const absmax = stored(source, `${name}.absmax`, [nested ? 'U8' : 'F32'], [blocks]);
  const blockSize = blockSizeOf(blocksize);
  return {
    form: 'table',
    table,
    blockSize,
    inputSize,
    outputSize,
    codes: () => source.read(codes),
    largest: async () => {
      const factors = nested
        ? await nestedFactors(source, name, state, blocks)
        : await finiteValues(source, absmax);
      return perBlock(factors, blocksize / blockSize);
    },
  };
}

function parsed(bytes: Uint8Array, refusal: (problem: string) => Error): z.output<typeof stateSchema> {
  try {
    return stateSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw refusal(
      `has a quant_state that is not understood (${(cause as Error).message.replaceAll(/\s+/g, ' ')})`,
    );
  }
}

/** Factors that are quantized to 8 bits themselves (double quantization): table[code] · factor of 256 + their mean. */
async function nestedFactors(
  source: TensorSource,
  name: string,
  { nested_blocksize: size = 256, nested_offset: mean = 0 }: z.output<typeof stateSchema>,
  blocks: number,
): Promise<Float32Array<ArrayBuffer>> {
  const codes = await source.read(`${name}.absmax`);
  const table = await finiteValues(source, stored(source, `${name}.nested_quant_map`, ['F32'], [256]));
  const factors = stored(source, `${name}.nested_absmax`, ['F32'], [Math.ceil(blocks / size)]);
  const largest = await finiteValues(source, factors);
  const offset = Math.fround(mean);
  return finite(
    source,
    factors,
    Float32Array.from(codes, (code, i) => Math.fround(table[code] * largest[Math.floor(i / size)]) + offset),
  );
}

/** bitsandbytes' own figure for 1 / 127. */
const perLargest = 7.874015718698502e-3;

async function eightBits(
  source: TensorSource,
  module: string,
  { inputSize, outputSize }: MatrixSizes,
): Promise<LayerInBlocks> {
  const refusal = layerRefusal(source, module);
  const weight = stored(source, `${module}.weight`, ['I8'], [outputSize, inputSize]);
  const largest = stored(source, `${module}.SCB`, ['F32'], [outputSize]);
  const format = `${module}.weight_format`;
  if (source.tensors.has(format) && (await source.read(format))[0] !== 0)
    throw refusal('has a weight_format other than row: write it again with a newer bitsandbytes');
  const blockSize = blockSizeOf(inputSize);
  return {
    form: 'blocks',
    bits: 8,
    blockSize,
    inputSize,
    outputSize,
    // Two's complement to numbers around 128.
    codes: async () => (await source.read(weight)).map((code) => code ^ 0x80),
    scales: async () => {
      const scales = (await finiteValues(source, largest)).map((value) => value * perLargest);
      return perBlock(scales, inputSize / blockSize);
    },
  };
}
