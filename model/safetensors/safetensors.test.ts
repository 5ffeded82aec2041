import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toFloat16 } from '../../numbers/float16.ts';
import { openModelTensors } from './model-tensors.ts';
import { openSafetensors } from './safetensors-file.ts';
import { type TensorToWrite, writeSafetensors, writeSafetensorsInParts } from './write-safetensors.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-safetensors-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const bytesOf = (array: Float64Array | Float32Array | Uint16Array) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function tensor(name: string, values: number[], shape = [values.length]): TensorToWrite {
  return { name, dtype: 'F32', shape, data: bytesOf(Float32Array.from(values)) };
}

test('any tensors come back as they were written', async () => {
  const path = join(directory, 'model.safetensors');
  const tensors = fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__'),
    fc.array(fc.float({ noNaN: true }), { maxLength: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(tensors, async (content) => {
      await writeSafetensors(
        path,
        Object.entries(content).map(([name, values]) => tensor(name, values)),
      );
      const file = await openSafetensors(path);
      expect([...file.tensors.keys()].sort()).toEqual(Object.keys(content).sort());
      for (const [name, values] of Object.entries(content)) {
        expect(await file.readFloat32(name)).toEqual(Float32Array.from(values));
      }
      expect(file.metadata).toEqual({ format: 'pt' });
      await file.close();
    }),
    { numRuns: 30 },
  );
});

test('offsets count from the first byte of the file, at a multiple of 8', async () => {
  const path = join(directory, 'model.safetensors');
  await writeSafetensors(path, [tensor('a', [1, 2], [2, 1]), tensor('b', [3])]);
  const file = await openSafetensors(path);
  const { offset, byteLength, shape } = file.tensors.get('b')!;
  const bytes = await readFile(path);
  expect(bytes.readFloatLE(offset)).toBe(3);
  expect([offset % 8, byteLength, shape]).toEqual([0, 4, [1]]);
  expect(file.tensors.get('a')?.shape).toEqual([2, 1]);
  await file.close();
  expect(await readdir(directory)).toEqual(['model.safetensors']);
});

test('half and double precision read as float32, integers are refused', async () => {
  const path = join(directory, 'model.safetensors');
  await writeSafetensors(path, [
    { name: 'half', dtype: 'F16', shape: [2], data: bytesOf(toFloat16(Float32Array.of(0.5, -3))) },
    { name: 'brain', dtype: 'BF16', shape: [1], data: bytesOf(Uint16Array.of(0x3f80)) },
    { name: 'double', dtype: 'F64', shape: [2], data: bytesOf(Float64Array.of(0.1, -2)) },
    { name: 'integer', dtype: 'I8', shape: [3], data: Uint8Array.of(1, 2, 3) },
  ]);
  const file = await openSafetensors(path);
  expect([...(await file.readFloat32('half'))]).toEqual([0.5, -3]);
  expect([...(await file.readFloat32('brain'))]).toEqual([1]);
  expect([...(await file.readFloat32('double'))]).toEqual([Math.fround(0.1), -2]);
  expect([...(await file.read('integer'))]).toEqual([1, 2, 3]);
  await expect(file.readFloat32('integer')).rejects.toMatchObject({ code: 'invalid_argument' });
  await expect(file.read('nothing')).rejects.toMatchObject({ code: 'not_found' });
  await file.close();
});

test('bytes that do not fit the shape are refused', async () => {
  const path = join(directory, 'model.safetensors');
  await expect(writeSafetensors(path, [tensor('a', [1, 2, 3], [2])])).rejects.toThrow(RangeError);
  expect(await readdir(directory)).toEqual([]);
});

test('a tensor that is made in parts is the same, and one of too few parts is refused', async () => {
  const path = join(directory, 'model.safetensors');
  const inParts = (...values: number[]) => ({
    name: 'a',
    dtype: 'F32' as const,
    shape: [3],
    parts: async function* () {
      for (const value of values) yield bytesOf(Float32Array.of(value));
    },
  });
  await expect(writeSafetensorsInParts(path, [inParts(1, 2)])).rejects.toThrow(RangeError);
  expect(await readdir(directory)).toEqual([]);
  await writeSafetensors(path, [tensor('a', [1, 2, 3])]);
  const whole = await readFile(path);
  await writeSafetensorsInParts(path, [inParts(1, 2, 3)]);
  expect(await readFile(path)).toEqual(whole);
});

test('a damaged file is named, with what to do', async () => {
  const path = join(directory, 'model.safetensors');
  await writeSafetensors(path, [tensor('a', [1, 2, 3])]);
  const whole = await readFile(path);
  const damages: Uint8Array[] = [
    whole.subarray(0, 5),
    whole.subarray(0, 40),
    whole.subarray(0, whole.length - 1),
    Buffer.from(whole.toString('latin1').replace('F32', 'F99'), 'latin1'),
    Buffer.from(whole.toString('latin1').replace('[3]', '[4]'), 'latin1'),
    Buffer.from(whole.toString('latin1').replace('{', '('), 'latin1'),
  ];
  for (const bytes of damages) {
    await writeFile(path, bytes);
    await expect(openSafetensors(path)).rejects.toMatchObject({
      code: 'data_loss',
      message: expect.stringContaining(path),
    });
  }
});

test('a sharded model is one lookup', async () => {
  await writeSafetensors(join(directory, 'one.safetensors'), [tensor('a', [1])]);
  await writeSafetensors(join(directory, 'two.safetensors'), [tensor('b', [2]), tensor('c', [3])]);
  const fileOf = { a: 'one.safetensors', b: 'two.safetensors', c: 'two.safetensors' };
  await writeFile(join(directory, 'model.safetensors.index.json'), JSON.stringify({ weight_map: fileOf }));
  const model = await openModelTensors(directory);
  expect([...model.tensors.keys()]).toEqual(['a', 'b', 'c']);
  expect([...(await model.readFloat32('c'))]).toEqual([3]);
  expect(model.tensors.get('b')?.path).toBe(join(directory, 'two.safetensors'));
  await expect(model.read('d')).rejects.toMatchObject({ code: 'not_found' });
  await model.close();
});

test('missing weights: the directory is named', async () => {
  await expect(openModelTensors(directory)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining(directory),
  });
  const weightMap = { weight_map: { a: 'gone.safetensors' } };
  await writeFile(join(directory, 'model.safetensors.index.json'), JSON.stringify(weightMap));
  await expect(openModelTensors(directory)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('gone.safetensors'),
  });
});
