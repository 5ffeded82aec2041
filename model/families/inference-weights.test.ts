import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { largestDifference, openExpected, readInt32 } from '../../test/support/golden.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { valuesOf } from '../quantized/quantized-layer.ts';
import { readQuantization } from '../quantized/read-quantization.ts';
import { openModelTensors } from '../safetensors/model-tensors.ts';
import { openSafetensors } from '../safetensors/safetensors-file.ts';
import { type TensorToWrite, writeSafetensors } from '../safetensors/write-safetensors.ts';
import { openScoredModel } from '../scoring/open-scored-model.ts';
import { readArchitecture } from './read-architecture.ts';
import { openWeights } from './weights.ts';

const golden = join(import.meta.dirname, '..', '..', 'test', 'golden-quantized');
const models = readdirSync(golden);

/** Weights that ONNX Runtime computes with as they are, and others, of each golden model. */
const computed: Readonly<Record<string, readonly [number, number]>> = {
  'gptq-small-groups': [0, 7],
  mlx: [8, 0],
  'mlx-8-bits': [9, 0],
};

describe.each(models)('the quantized model %s', (model) => {
  const directory = join(golden, model);

  it('has the values that its library dequantizes', async () => {
    const architecture = await readArchitecture(directory);
    const quantization = await readQuantization(directory);
    const source = await openModelTensors(directory);
    const expected = await openExpected(directory);
    const shown = [...expected.tensors.keys()].filter((name) => name.startsWith('values:'));
    expect(shown).toHaveLength(2);
    for (const name of shown) {
      const module = name.slice('values:'.length);
      const layer = await quantization!.layer(source, module, architecture.linearLayers.get(module)!);
      const [values, right] = [await valuesOf(layer!), await expected.readFloat32(name)];
      // MLX may add the offset without rounding the product first; of 8 bits, bitsandbytes rounds another product.
      const rounding = /mlx|bitsandbytes, 8/.test(quantization!.inWords) ? 1e-7 : 0;
      expect(largestDifference(values, right)).toBeLessThanOrEqual(rounding);
    }
    await expected.close();
    await source.close();
  });

  it('scores as transformers does with these values', async () => {
    const { quantized, score, close, card } = await openScoredModel({ directory }, 1);
    const expected = await openExpected(directory);
    const ids = await readInt32(expected, 'input_ids');
    const logits = await expected.readFloat32('logits');
    await expected.close();
    const [asTheyAre, others] = computed[model] ?? [7, 0];
    expect(quantized).toContain(`${asTheyAre} are computed as they are, ${others} as float32`);
    const { vocabularySize } = card;
    const { candidateIds, logProbabilities } = await score([ids], vocabularySize);
    const found = new Float32Array(logits.length);
    candidateIds.forEach((id, i) => {
      found[i - (i % vocabularySize) + id] = logProbabilities[i];
    });
    expect(largestDifference(found, logLikelihoods(logits, vocabularySize))).toBeLessThan(2e-5);
    await close();
  });

  it('is neither trained nor changed', async () => {
    await expect(openWeights(directory, await readArchitecture(directory))).rejects.toThrow(
      /is quantized \(\w+, \d bits\): it can teach and generate, but not be trained/,
    );
  });
});

/** Logarithm of softmax of each row, in double precision. */
function logLikelihoods(logits: Float32Array, width: number): Float64Array {
  const result = new Float64Array(logits.length);
  for (let row = 0; row < logits.length; row += width) {
    const values = logits.subarray(row, row + width);
    const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
    for (let i = 0; i < width; i++) result[row + i] = values[i] - total;
  }
  return result;
}

/** A copy of a golden model with other settings, and tensors that have gone through `change`. */
async function changed(
  model: string,
  settings: object,
  change: (tensor: TensorToWrite) => TensorToWrite | undefined = (tensor) => tensor,
  added: readonly TensorToWrite[] = [],
): Promise<string> {
  const directory = await temporaryDirectory();
  const config = JSON.parse(await readFile(join(golden, model, 'config.json'), 'utf8'));
  const key = 'quantization' in config ? 'quantization' : 'quantization_config';
  await writeFile(
    join(directory, 'config.json'),
    JSON.stringify({ ...config, [key]: { ...config[key], ...settings } }),
  );
  const file = await openSafetensors(join(golden, model, 'model.safetensors'));
  const tensors = [...added];
  for (const { name, dtype, shape } of file.tensors.values()) {
    const tensor = change({ name, dtype, shape, data: await file.read(name) });
    if (tensor) tensors.push(tensor);
  }
  await file.close();
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
  return directory;
}

const opened = async (directory: string) => {
  const { close } = await openScoredModel({ directory }, 1);
  await close();
};

describe('what is not understood is refused by its name', () => {
  it.each([
    [
      'gptq',
      { quant_method: 'fp8' },
      'quantization_config.quant_method "fp8" is not supported; supported: gptq, awq',
    ],
    ['gptq', { quant_method: 'compressed-tensors' }, '"compressed-tensors" is not supported'],
    ['gptq', { bits: 3 }, 'quantization_config.bits: only 4 and 8 bits'],
    ['gptq', { checkpoint_format: 'marlin' }, '.checkpoint_format: only gptq and gptq_v2'],
    ['gptq', { is_marlin_format: true }, '.is_marlin_format: Marlin is not supported'],
    ['gptq', { dynamic: { '-:.*down.*': {} } }, '.dynamic: settings of single layers is not supported'],
    ['gptq', { group_size: 32 }, '"model.layers.0.self_attn.q_proj.scales" is F16 [2, 32]'],
    ['gptq', { desc_act: true, group_size: 8 }, 'asks for F16 or BF16 or F32 [4, 32]'],
    ['awq', { version: 'GEMV' }, '.version: only gemm'],
    ['awq', { zero_point: false }, '.zero_point: only true'],
    ['awq', { bits: 8 }, '.bits: only 4 bits'],
    ['bitsandbytes-nf4', { bnb_4bit_quant_storage: 'bfloat16' }, '.bnb_4bit_quant_storage: only uint8'],
    ['bitsandbytes-nf4', { load_in_4bit: false }, 'one of load_in_4bit and load_in_8bit must be true'],
    ['mlx', { mode: 'mxfp4' }, 'quantization.mode: only affine'],
    ['mlx', { bits: 6 }, 'quantization.bits: only 4 and 8'],
    ['mlx', { 'model.layers.0.mlp.up_proj': false }, '"model.layers.0.mlp.up_proj" is quantized, against'],
    [
      'mlx',
      { 'model.layers.0.mlp.up_proj': { bits: 3, group_size: 64 } },
      'quantization.model.layers.0.mlp.up_proj',
    ],
  ])('%s with %o', async (model, settings, message) => {
    await expect(opened(await changed(model, settings))).rejects.toThrow(message);
  });

  it('a part that is missing', async () => {
    const gone = 'model.layers.0.mlp.up_proj.qzeros';
    const directory = await changed('awq', {}, (tensor) => (tensor.name === gone ? undefined : tensor));
    await expect(opened(directory)).rejects.toThrow(`"${gone}" of a quantized layer is missing`);
  });

  it('a scale that is not finite, before anything is scored', async () => {
    const directory = await changed('gptq', {}, (tensor) =>
      tensor.name.endsWith('up_proj.scales')
        ? { ...tensor, data: new Uint8Array(new Uint16Array(tensor.data.length / 2).fill(0x7e00).buffer) }
        : tensor,
    );
    await expect(opened(directory)).rejects.toMatchObject({
      code: 'data_loss',
      message: expect.stringContaining('"model.layers.0.mlp.up_proj.scales" is not finite'),
    });
  });

  it('a zero point that libraries read in two ways', async () => {
    const directory = await changed('gptq', {}, (tensor) =>
      tensor.name.endsWith('up_proj.qzeros') ? { ...tensor, data: tensor.data.map(() => 0xff) } : tensor,
    );
    await expect(opened(directory)).rejects.toThrow('has a zero point of 16');
  });

  it("AWQ's scales of activations, which would change what the model computes", async () => {
    const scales = {
      name: 'model.layers.0.mlp.act.scales',
      dtype: 'F16',
      shape: [2],
      data: new Uint8Array(4),
    } as const;
    const directory = await changed('awq', {}, undefined, [scales]);
    await expect(opened(directory)).rejects.toThrow(`"${scales.name}" [2] belongs to no layer`);
  });

  it("a table that is not bitsandbytes' own", async () => {
    const directory = await changed('bitsandbytes-fp4', {}, (tensor) =>
      tensor.name.endsWith('up_proj.weight.quant_map')
        ? { ...tensor, data: tensor.data.toReversed() }
        : tensor,
    );
    await expect(opened(directory)).rejects.toThrow('another table (quant_map) than fp4');
  });
});
