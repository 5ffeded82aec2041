import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { GenerationMethods } from '../../model/generation/generation-worker.ts';
import type { ModelFiles } from '../../model/model-files.ts';
import { openMemory } from '../../model/runtime/memory.ts';
import { startWorker } from '../../model/runtime/worker.ts';
import { openScoredModel } from '../../model/scoring/open-scored-model.ts';
import { OnnxModel } from '../../services/teacher/backends/onnx-model.ts';
import { goldenModel, largestDifference, openExpected, readInt32 } from '../support/golden.ts';
import { refusalOfDevice } from './software-device.ts';

const refusal = await refusalOfDevice();
const placement = { provider: 'webgpu' } as const;
const exported = join(import.meta.dirname, '..', 'golden-onnx', 'llama-masked');

describe.skipIf(refusal)(`a teacher on a device${refusal ? ` (${refusal})` : ''}`, () => {
  const topK = 5;
  const texts = [Int32Array.of(1, 2, 3, 4, 5, 6), Int32Array.of(7, 8, 9)];
  const rows = 2 * 6;
  const tokens = 6 + 3;

  it.each<[string, ModelFiles, number]>([
    ['llama', { directory: goldenModel('llama-grouped-tied') }, 2e-4],
    ['gpt2', { directory: goldenModel('gpt2-tied') }, 2e-4],
    // The sines of its rotary positions are computed there, and WebGPU grants three digits.
    ['an exported llama', { directory: exported, exported: join(exported, 'model.onnx') }, 2e-3],
  ])(
    'scores as on the processor, and nothing as wide as a model comes back: %s',
    async (_, files, tolerance) => {
      const onProcessor = await openScoredModel(files, 1);
      const right = await onProcessor.score(texts, topK);
      await onProcessor.close();
      const { crossed, score, close } = await openScoredModel(files, 1, placement);
      const before = { ...crossed };
      const found = await score(texts, topK);
      expect(found.candidateIds).toEqual(right.candidateIds);
      for (const values of ['logProbabilities', 'labelLogProbabilities'] as const)
        expect(largestDifference(found[values], right[values])).toBeLessThan(tolerance);
      // Ids (4) and positions (8) of all rows, row and label of those with a token (8), and k; candidates and the label.
      expect(crossed.toDevice - before.toDevice).toBe(12 * rows + 8 * tokens + 8);
      expect(crossed.fromDevice - before.fromDevice).toBe((8 * topK + 4) * tokens);
      await close();
    },
  );

  it.each(['llama-grouped-tied', 'gpt2-tied', 'mpt-six-heads'])(
    'generates what transformers generates, its cache on the device: %s',
    async (name) => {
      const expected = await openExpected(goldenModel(name));
      const prompt = (await readInt32(expected, 'input_ids')).slice(0, 6);
      const right = (await readInt32(expected, 'greedy')).slice(0, 6);
      await expected.close();
      const { remote, stop } = startWorker<GenerationMethods>(
        new URL('../../model/generation/generation-worker.ts', import.meta.url),
      );
      await remote.load(0, goldenModel(name), { threads: 1, most: 2 ** 30, placement });
      // Two texts in turns, of which the second shares the memory that the first's steps have left.
      const sampling = { temperature: 0, topP: 1, seed: 0 };
      for (const id of [0, 1])
        await remote.begin(0, { id, prompt, sampling, logProbabilities: undefined, most: 12 });
      const generated: unknown[][] = [[], []];
      const step = async () => {
        for (const outcome of await remote.step())
          generated[outcome.sequence].push('token' in outcome ? outcome.token : outcome.message);
      };
      await step();
      const before = await remote.crossed();
      for (let length = 1; length < right.length; length++) await step();
      const after = await remote.crossed();
      expect(generated).toEqual([[...right], [...right]]);
      const vocabularySize = 50;
      const steps = 2 * (right.length - 1);
      expect(after.fromDevice - before.fromDevice).toBe(4 * vocabularySize * steps);
      // The token, its position and its row; the positions of all keys.
      const keys = 2 * [7, 8, 9, 10, 11].reduce((a, b) => a + b, 0);
      expect(after.toDevice - before.toDevice).toBe((4 + 8 + 8) * steps + 8 * keys);
      await remote.end(0);
      await remote.end(1);
      await stop();
    },
  );

  it('tells once what the processor computes', async () => {
    const lines: string[] = [];
    const path = join(import.meta.dirname, '..', '..', 'examples', 'zoo', 'orator');
    const model = await OnnxModel.load(path, {
      topK,
      threads: 1,
      placement,
      onProcessor: (line) => lines.push(line),
    });
    expect(lines).toEqual([
      expect.stringMatching(/^With execution: webgpu, the processor computes Cast, .*Shape: of shapes/),
    ]);
    expect(lines[0]).not.toMatch(/MatMul|Gemm|Softmax|LayerNormalization|TopK/);
    await model.close();
  });
});

describe.skipIf(refusal)(`memory of a device${refusal ? ` (${refusal})` : ''}`, async () => {
  const memory = refusal ? undefined! : await openMemory(placement);
  afterAll(() => memory?.close());

  it('says that there is too little of it, and goes on', async () => {
    const tooLarge = memory.allocate([3 * 2 ** 28]);
    await expect(memory.clear(tooLarge)).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringMatching(/^The GPU has too little memory \(.*\): lower trainer\.tokensAtOnce/),
    });
    memory.free(tooLarge);
    const small = await memory.place(Float32Array.of(1, 2), [2]);
    expect([...(await memory.read(small))]).toEqual([1, 2]);
  });

  it('takes back what is freed', async () => {
    // Its memory is this process's own. A gigabyte in all, four megabytes at a time.
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 256; i++) {
      const tensor = memory.allocate([2 ** 20]);
      await memory.clear(tensor);
      memory.free(tensor);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
  });
});
