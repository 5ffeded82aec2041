import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBfloat16, toBfloat16 } from '../../numbers/bfloat16.ts';
import { toFloat16 } from '../../numbers/float16.ts';
import { goldenModel } from '../../test/support/golden.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { openSafetensors } from '../safetensors/safetensors-file.ts';
import { type TensorToWrite, writeSafetensors } from '../safetensors/write-safetensors.ts';
import { refuseNonFinite } from './finite-weights.ts';
import { readArchitecture } from './read-architecture.ts';
import { openWeights, readWeights } from './weights.ts';

const bytesOf = (values: Float32Array | Uint16Array) =>
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
    await expect(loaded(directory)).rejects.toThrow('is I32; use F32, F16 or BF16');
  });
});

describe('refuseNonFinite', () => {
  const encoders = {
    F32: (values: Float32Array) => bytesOf(values),
    F16: (values: Float32Array) => bytesOf(toFloat16(values)),
    BF16: (values: Float32Array) => bytesOf(toBfloat16(values)),
  };

  it('finds one NaN or infinity among all values, whatever the dtype, and says where', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('F32' as const, 'F16' as const, 'BF16' as const),
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
    const largest = { F32: 3.4028234e38, F16: 65504, BF16: fromBfloat16(Uint16Array.of(0x7f7f))[0] };
    for (const dtype of ['F32', 'F16', 'BF16'] as const) {
      const directory = await changedModel('llama-grouped-tied', (tensor) => ({
        ...tensor,
        dtype,
        data: encoders[dtype](new Float32Array(tensor.data.byteLength / 4).fill(-largest[dtype])),
      }));
      await expect(loaded(directory)).resolves.toBeDefined();
    }
  });
});
