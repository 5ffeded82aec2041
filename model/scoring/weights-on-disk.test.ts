import { cp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { toBfloat16 } from '../../numbers/bfloat16.ts';
import { toFloat16 } from '../../numbers/float16.ts';
import { hubCacheOf } from '../../test/support/hub-cache.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { Generator } from '../generation/generator.ts';
import { openSafetensors } from '../safetensors/safetensors-file.ts';
import { type TensorToWrite, writeSafetensors } from '../safetensors/write-safetensors.ts';
import { Scorer } from './scorer.ts';

const novelist = join(import.meta.dirname, '..', '..', 'examples', 'zoo', 'novelist');
const never = new AbortController().signal;
const text = 'Call me Ishmael. Some years ago, never mind how long precisely, I went to sea.';

const encode = {
  F64: (values: Float32Array) => new Uint8Array(new Float64Array(values).buffer),
  F32: (values: Float32Array) => new Uint8Array(values.buffer),
  F16: (values: Float32Array) => new Uint8Array(toFloat16(values).buffer),
  BF16: (values: Float32Array) => new Uint8Array(toBfloat16(values).buffer),
} as const;

/** The novelist with weights as they are after `round`, in `files` files. */
async function copyOf(dtype: keyof typeof encode, files: number, round = (values: Float32Array) => values) {
  const directory = await temporaryDirectory();
  await cp(novelist, directory, { recursive: true });
  const source = await openSafetensors(join(novelist, 'model.safetensors'));
  const tensors: TensorToWrite[] = [];
  for (const { name, shape } of source.tensors.values()) {
    tensors.push({ name, shape, dtype, data: encode[dtype](round(await source.readFloat32(name))) });
  }
  await source.close();
  if (files === 1) {
    await writeSafetensors(join(directory, 'model.safetensors'), tensors);
    return directory;
  }
  await rm(join(directory, 'model.safetensors'));
  const fileOf: Record<string, string> = {};
  for (let file = 0; file < files; file++) {
    const name = `model-0000${file + 1}-of-0000${files}.safetensors`;
    const part = tensors.filter((_, i) => i % files === file);
    for (const tensor of part) fileOf[tensor.name] = name;
    await writeSafetensors(join(directory, name), part);
  }
  await writeFile(join(directory, 'model.safetensors.index.json'), JSON.stringify({ weight_map: fileOf }));
  return directory;
}

async function score(directory: string) {
  const scorer = await Scorer.load(directory, { topK: 5, threads: 1 });
  const [{ logProbabilities, candidateIds }] = await scorer.score([text]);
  await scorer.close();
  return { logProbabilities, candidateIds };
}

it('scores alike from float64, float32, float16 and bfloat16, from one file and from several', async () => {
  const toBfloat16AndBack = (values: Float32Array) => {
    const bits = toBfloat16(values);
    return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
  };
  const half = await score(await copyOf('F16', 1));
  expect(await score(await copyOf('F32', 1))).toEqual(half);
  expect(await score(await copyOf('F64', 1))).toEqual(half);
  expect(await score(await copyOf('F16', 3))).toEqual(half);
  const brain = await score(await copyOf('BF16', 1));
  expect(await score(await copyOf('F32', 2, toBfloat16AndBack))).toEqual(brain);
  expect(brain).not.toEqual(half);
});

it('names a weight that is damaged before it scores anything', async () => {
  const directory = await copyOf('F32', 2, (values) =>
    values.map((value, i) => (i === 5 ? Number.NaN : value)),
  );
  await expect(Scorer.load(directory, { topK: 5, threads: 1 })).rejects.toMatchObject({
    code: 'data_loss',
    message: expect.stringMatching(/model-0000\d-of-00002\.safetensors: the weight "\S+" is not finite/),
  });
});

it("scores and generates from the Hugging Face hub's cache, whose files are links to another directory", async () => {
  const expected = await score(novelist);
  for (const files of [1, 3])
    expect(await score(await hubCacheOf(await copyOf('F32', files)))).toEqual(expected);
  // Links that lead to several directories, as where a model's files were moved to another disk one by one.
  const scattered = await copyOf('F32', 2);
  const elsewhere = join(await temporaryDirectory(), 'weights');
  await rename(join(scattered, 'model-00001-of-00002.safetensors'), elsewhere);
  await symlink(elsewhere, join(scattered, 'model-00001-of-00002.safetensors'));
  expect(await score(scattered)).toEqual(expected);

  const generator = await Generator.load(await hubCacheOf(novelist), { threads: 1 });
  const pieces = generator.generate(
    { prompt: text, maxTokens: 3, temperature: 0, topP: 1, stop: [], seed: 0 },
    never,
  );
  for await (const { finishReason } of pieces) if (finishReason) expect(finishReason).toBe('length');
  await generator.close();
});
