import { copyFile, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBfloat16, toBfloat16 } from '../../numbers/bfloat16.ts';
import { toFloat16 } from '../../numbers/float16.ts';
import { goldenModel } from '../../test/support/golden.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { writeModel } from '../export/write-model.ts';
import { openSafetensors } from '../safetensors/safetensors-file.ts';
import { type TensorToWrite, writeSafetensors } from '../safetensors/write-safetensors.ts';
import { refuseNonFinite } from './finite-weights.ts';
import { readArchitecture } from './read-architecture.ts';
import { openWeights, readWeights } from './weights.ts';

const bytesOf = (values: Float64Array | Float32Array | Uint16Array) =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** A copy of a golden model whose weights have gone through `change`. */
async function changedModel(name: string, change: (tensor: TensorToWrite) => TensorToWrite | undefined) {
  const directory = await temporaryDirectory();
  await copyFile(join(goldenModel(name), 'config.json'), join(directory, 'config.json'));
  const file = await openSafetensors(join(goldenModel(name), 'model.safetensors'));
  const tensors: TensorToWrite[] = [];
  for (const { name, dtype, shape } of file.tensors.values()) {
    const changed = change({ name, dtype, shape, data: await file.read(name) });
    if (changed) tensors.push(changed);
  }
  await file.close();
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
  return directory;
}

async function loaded(directory: string) {
  const architecture = await readArchitecture(directory);
  const source = await openWeights(directory, architecture);
  try {
    await refuseNonFinite(source, architecture);
    return await readWeights(source, architecture);
  } finally {
    await source.close();
  }
}

describe('openWeights', () => {
  it('takes a file of the base model, whose names have no prefix, as the hub has for GPT-2', async () => {
    const directory = await changedModel('gpt2-tied', (tensor) => ({
      ...tensor,
      name: tensor.name.replace(/^transformer\./, ''),
    }));
    expect(await loaded(directory)).toEqual(await loaded(goldenModel('gpt2-tied')));
  });

  it('names a weight that is missing', async () => {
    const gone = 'model.layers.1.mlp.up_proj.weight';
    const directory = await changedModel('llama-grouped-tied', (tensor) =>
      tensor.name === gone ? undefined : tensor,
    );
    await expect(loaded(directory)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: `The weight "${gone}" in ${directory} is missing; its config.json asks for it`,
    });
  });

  it('names a weight of another shape', async () => {
    const directory = await changedModel('llama-grouped-tied', (tensor) =>
      tensor.name === 'model.norm.weight' ? { ...tensor, shape: [1, ...tensor.shape] } : tensor,
    );
    await expect(loaded(directory)).rejects.toThrow(
      /"model\.norm\.weight" in .* is \[1, 16\]; its config.json asks for \[16\]/,
    );
  });

  it('refuses weights of integers', async () => {
    const directory = await changedModel('llama-grouped-tied', (tensor) =>
      tensor.name === 'model.norm.weight' ? { ...tensor, dtype: 'I32' } : tensor,
    );
    await expect(loaded(directory)).rejects.toThrow('is I32; use F64, F32, F16 or BF16');
  });

  it('says that weights are quantized where config.json does not', async () => {
    const directory = await temporaryDirectory();
    await cp(join(import.meta.dirname, '../../test/golden-quantized/gptq'), directory, { recursive: true });
    const path = join(directory, 'config.json');
    const { quantization_config: _, ...config } = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify(config));
    await expect(loaded(directory)).rejects.toThrow(
      /q_proj\.weight" in .* is missing.*look quantized \(".*\.q.*" is I32\), but config.json has no quantization_config/,
    );
    await expect(loaded(join(import.meta.dirname, '../../test/golden-quantized/gptq'))).rejects.toThrow(
      'is quantized (gptq, 4 bits): it can teach and generate, but not be trained',
    );
  });
});

describe('a head that config.json ties to the embedding', () => {
  const tied: [model: string, embedding: string, head: string][] = [
    ['llama-grouped-tied', 'model.embed_tokens.weight', 'lm_head.weight'],
    ['gpt2-tied', 'transformer.wte.weight', 'lm_head.weight'],
    ['gpt_neox-no-bias-tied', 'gpt_neox.embed_in.weight', 'embed_out.weight'],
  ];

  /** A golden model whose file holds the embedding under other names too, some of its values changed. */
  const withHead = async (model: string, head: string, embedding: string, change: number) => {
    const directory = await changedModel(model, (tensor) => tensor);
    const file = await openSafetensors(join(directory, 'model.safetensors'));
    const tensors: TensorToWrite[] = [];
    for (const { name, dtype, shape } of file.tensors.values()) {
      const data = await file.read(name);
      tensors.push({ name, dtype, shape, data });
      if (name !== embedding) continue;
      const values = new Float32Array(data.slice().buffer);
      values[3] += change;
      tensors.push({ name: head, dtype, shape, data: bytesOf(values) });
    }
    await file.close();
    await writeSafetensors(join(directory, 'model.safetensors'), tensors);
    return directory;
  };

  it.each(tied)('may be all that the file holds: %s', async (model, embedding, head) => {
    const directory = await changedModel(model, (tensor) =>
      tensor.name === embedding ? { ...tensor, name: head } : tensor,
    );
    expect(await loaded(directory)).toEqual(await loaded(goldenModel(model)));
  });

  it.each(tied)(
    'is one of its own where the file holds another, as in transformers: %s',
    async (model, embedding, head) => {
      const same = await withHead(model, head, embedding, 0);
      expect([...(await loaded(same)).keys()]).not.toContain(head);
      const another = await loaded(await withHead(model, head, embedding, 1));
      expect(another.get(head)![3] - another.get(embedding)![3]).toBeCloseTo(1, 5);
    },
  );

  it('is written as one of its own', async () => {
    const original = await withHead('llama-grouped-tied', 'lm_head.weight', 'model.embed_tokens.weight', 1);
    const directory = join(await temporaryDirectory(), 'written');
    const weights = await loaded(original);
    await writeModel(directory, original, weights);
    expect(await loaded(directory)).toEqual(weights);
    const config = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'));
    expect(config.tie_word_embeddings).toBe(false);
  });
});

describe('refuseNonFinite', () => {
  const encoders = {
    F64: (values: Float32Array) => bytesOf(new Float64Array(values)),
    F32: (values: Float32Array) => bytesOf(values),
    F16: (values: Float32Array) => bytesOf(toFloat16(values)),
    BF16: (values: Float32Array) => bytesOf(toBfloat16(values)),
  };

  it('finds one NaN or infinity among all values, whatever the dtype, and says where', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('F64' as const, 'F32' as const, 'F16' as const, 'BF16' as const),
        fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        fc.nat(49),
        fc.nat(15),
        async (dtype, value, row, column) => {
          const name = 'model.embed_tokens.weight';
          const directory = await changedModel('llama-grouped-tied', (tensor) => {
            const values = new Float32Array(tensor.data.slice().buffer);
            if (tensor.name === name) values[row * 16 + column] = value;
            return { ...tensor, dtype, data: encoders[dtype](values) };
          });
          await expect(loaded(directory)).rejects.toMatchObject({
            code: 'data_loss',
            message: expect.stringContaining(
              `model.safetensors: the weight "${name}" is not finite (NaN or infinity) at [${row}, ${column}]`,
            ),
          });
        },
      ),
      { numRuns: 15 },
    );
  });

  it('lets the largest finite values pass', async () => {
    const largest = {
      F64: 3.4028234e38,
      F32: 3.4028234e38,
      F16: 65504,
      BF16: fromBfloat16(Uint16Array.of(0x7f7f))[0],
    };
    for (const dtype of ['F64', 'F32', 'F16', 'BF16'] as const) {
      const directory = await changedModel('llama-grouped-tied', (tensor) => ({
        ...tensor,
        dtype,
        data: encoders[dtype](new Float32Array(tensor.data.byteLength / 4).fill(-largest[dtype])),
      }));
      await expect(loaded(directory)).resolves.toBeDefined();
    }
  });
});
