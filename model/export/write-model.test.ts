import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toBfloat16 } from '../../numbers/bfloat16.ts';
import { toFloat16 } from '../../numbers/float16.ts';
import {
  goldenModel,
  goldenModels,
  largestDifference,
  openExpected,
  readInt32,
} from '../../test/support/golden.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { openWeights, readWeights } from '../families/weights.ts';
import { openSession } from '../runtime/session.ts';
import { openSafetensors } from '../safetensors/safetensors-file.ts';
import { writeSafetensors } from '../safetensors/write-safetensors.ts';
import { writeModel } from './write-model.ts';

async function weightsOf(directory: string) {
  const architecture = await readArchitecture(directory);
  const source = await openWeights(directory, architecture);
  const weights = await readWeights(source, architecture);
  await source.close();
  return weights;
}

describe('writeModel', () => {
  it("writes the original's dtypes and nothing but the model, over an earlier one", async () => {
    const root = await temporaryDirectory();
    const original = join(root, 'original');
    await cp(goldenModel('llama-grouped-tied'), original, { recursive: true });
    const weights = await weightsOf(original);
    const { weights: shapes } = await readArchitecture(original);
    const bytesOf = (values: Uint16Array) => new Uint8Array(values.buffer);
    await writeSafetensors(
      join(original, 'model.safetensors'),
      [...weights].map(([name, values]) =>
        name.includes('mlp')
          ? { name, dtype: 'F16' as const, shape: shapes.get(name)!, data: bytesOf(toFloat16(values)) }
          : { name, dtype: 'BF16' as const, shape: shapes.get(name)!, data: bytesOf(toBfloat16(values)) },
      ),
    );

    const directory = join(root, 'output', 'model');
    const written = await weightsOf(original);
    await writeModel(directory, original, written);
    await writeFile(join(directory, 'left over'), '');
    await writeModel(directory, original, written);
    expect((await readdir(directory)).sort()).toEqual(['config.json', 'model.onnx', 'model.safetensors']);
    const file = await openSafetensors(join(directory, 'model.safetensors'));
    for (const { name, dtype } of file.tensors.values()) {
      expect(dtype).toBe(name.includes('mlp') ? 'F16' : 'BF16');
      expect(await file.readFloat32(name)).toEqual(written.get(name));
    }
    await file.close();
  });
});

describe('model.onnx', () => {
  it.each(goldenModels().map((path) => [basename(path), path]))(
    'gives the logits of transformers, padded on the left too: %s',
    async (_, original) => {
      const directory = join(await temporaryDirectory(), 'model');
      await writeModel(directory, original, await weightsOf(original));
      const session = await openSession(await readFile(join(directory, 'model.onnx')), {
        threads: 1,
        weightsDirectory: directory,
      });

      const expected = await openExpected(original);
      const ids = await readInt32(expected, 'input_ids');
      const [rows, length] = expected.tensors.get('input_ids')!.shape;
      const right = await expected.readFloat32('logits');
      await expected.close();
      const padding = 3;
      const shape = [rows, padding + length];
      const columns = Array.from({ length: rows * (padding + length) }, (_, i) => ({
        row: Math.floor(i / (padding + length)),
        column: (i % (padding + length)) - padding,
      }));
      const int64 = (value: (row: number, column: number) => number) => ({
        data: BigInt64Array.from(columns, ({ row, column }) => BigInt(value(row, column))),
        shape,
      });
      const results = await session.run({
        input_ids: int64((row, column) => (column < 0 ? 7 : ids[row * length + column])),
        attention_mask: int64((_, column) => Number(column >= 0)),
        position_ids: int64((_, column) => Math.max(0, column)),
      });
      const perRow = right.length / rows;
      const perToken = perRow / length;
      for (let row = 0; row < rows; row++) {
        const begin = row * (perRow + padding * perToken) + padding * perToken;
        const logits = (results['logits'] as Float32Array).subarray(begin, begin + perRow);
        const difference = largestDifference(logits, right.subarray(row * perRow, (row + 1) * perRow));
        expect(difference).toBeLessThan(2e-5);
      }
      await session.close();
    },
  );
});
