import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { parameterCount } from '../../model/families/weight-shapes.ts';
import { openWeights } from '../../model/families/weights.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { contextLength } from './families/size.ts';
import { domains, heldOutPath, modelDirectory, zooDirectory } from './layout.ts';
import { trainByteLevelBpe, trainLlamaBpe, trainUnigram } from './tokenizers.ts';
import { drawBatches, tokenStream } from './training-rows.ts';
import { zoo } from './zoo.ts';

describe.each(zoo)('$name', ({ name, family, vocabularySize }) => {
  test('is whole, in float16, of its family, and has the tokenizer that its configuration speaks of', async () => {
    const architecture = await readArchitecture(modelDirectory(name));
    expect(architecture).toMatchObject({ family, vocabularySize, contextLength });
    expect(parameterCount(architecture.weights)).toBeGreaterThan(1.04e6);
    expect(parameterCount(architecture.weights)).toBeLessThan(1.18e6);
    const model = await openWeights(modelDirectory(name), architecture);
    for (const tensor of model.tensors.values()) expect(tensor.dtype).toBe('F16');
    await model.close();
    const tokenizer = await Tokenizer.fromFile(join(modelDirectory(name), 'tokenizer.json'));
    expect(tokenizer.vocabularySize).toBe(vocabularySize);
  });
});

test('the three teachers know their own domain best, and better than the target', async () => {
  const losses = new Map<string, number[]>();
  for (const { name } of zoo) {
    const scorer = await Scorer.load(modelDirectory(name), { topK: 1, threads: 1 });
    const perByte: number[] = [];
    for (const domain of domains) {
      const text = (await readFile(heldOutPath(domain), 'utf8')).slice(2000, 4800);
      const pieces = text.match(/[\s\S]{1,400}/g)!;
      const scores = await scorer.score(pieces);
      const nats = scores.reduce((sum, { crossEntropy }) => sum + crossEntropy, 0);
      perByte.push(nats / scores.reduce((sum, { predictedBytes }) => sum + predictedBytes, 0));
    }
    losses.set(name, perByte);
    await scorer.close();
  }
  const teachers = ['orator', 'novelist', 'engineer'];
  for (const [domain, teacher] of teachers.entries()) {
    const best = losses.get(teacher)![domain];
    for (const other of [...losses.keys()].filter((name) => name !== teacher)) {
      expect(losses.get(other)![domain], `${other} on ${domains[domain]}`).toBeGreaterThan(best);
    }
  }
});

test('models and texts together stay within 12 MB', async () => {
  const entries = await readdir(zooDirectory, { recursive: true });
  const sizes = await Promise.all(entries.map(async (entry) => stat(join(zooDirectory, entry))));
  const files = sizes.filter((entry) => entry.isFile());
  expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(12e6);
});

test('tokenizers learn the same from the same text', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-learn-'));
  const path = join(directory, 'text.txt');
  const text =
    'Call me Ishmael. Some years ago, never mind how long, I had little money — and went to sea.\n';
  await writeFile(path, text.repeat(3));
  for (const learn of [trainByteLevelBpe, trainLlamaBpe, trainUnigram]) {
    const file = await learn([path], 320);
    expect(await learn([path], 320)).toEqual(file);
    const tokenizer = Tokenizer.fromJson(JSON.stringify(file));
    expect(tokenizer.vocabularySize).toBeLessThanOrEqual(320);
    const { ids } = await tokenizer.encode(text);
    expect(ids.length).toBeLessThan(text.length);
    expect(await tokenizer.decode(ids)).toBe(text);
  }
  await rm(directory, { recursive: true });
});

test('batches are stretches of the text, each followed by what comes next', async () => {
  const tokenizer = await Tokenizer.fromFile(join(modelDirectory('novelist'), 'tokenizer.json'));
  const text = await readFile(heldOutPath('fiction'), 'utf8');
  const stream = await tokenStream(text, tokenizer);
  const streams = { speeches: stream, fiction: stream, manuals: stream };
  const mix = { speeches: 0.5, fiction: 0.25, manuals: 0.25 };
  const draw = () => drawBatches(streams, mix, 7, { rows: 3, length: 32 }).next().value;
  const batch = draw();
  for (let row = 0; row < 3; row++) {
    const input = batch.inputIds.subarray(row * 32, row * 32 + 32);
    const labels = batch.labels.subarray(row * 32, row * 32 + 32);
    expect(input[0]).toBe(1);
    expect([...labels.subarray(0, 31)]).toEqual([...input.subarray(1)]);
    const written = (await tokenizer.decode([...input, labels[31]])).trim();
    expect(text.replaceAll(/\s+/g, ' ')).toContain(written.slice(0, 60).replaceAll(/\s+/g, ' '));
  }
  expect(batch.fusedProbabilities.every((probability) => probability === 0)).toBe(true);
  expect(draw()).toEqual(batch);
});
