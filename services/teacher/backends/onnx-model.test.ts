import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScoredText } from '../../../model/scoring/scored-text.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { OnnxModel } from './onnx-model.ts';

const orator = new URL('../../../examples/zoo/orator', import.meta.url).pathname;
const load = () => OnnxModel.load(orator, { topK: 4, threads: 1 });

let model: OnnxModel;
beforeAll(async () => {
  model = await load();
});
afterAll(() => model?.close());

test('a text that is too long is refused alone, and the others of its batch are scored as they are without it', async () => {
  const texts = ['We the people.', 'Hello. '.repeat(3_000), '', 'Of all.'];
  const [first, tooLong, empty, last] = await model.score(texts, 4, {});
  expect(first).toHaveProperty('crossEntropy');
  expect(tooLong).toEqual({
    refusal: expect.stringMatching(/tokens, the context of .* split the text/),
  });
  expect(empty).toEqual({ refusal: expect.stringContaining('is empty') });
  const [alone] = (await model.score(['Of all.'], 4, {})) as ScoredText[];
  expect((last as ScoredText).tokenIds).toEqual(alone.tokenIds);
  expect((last as ScoredText).ends).toEqual(alone.ends);
  expect((last as ScoredText).crossEntropy).toBeCloseTo(alone.crossEntropy, 4);
});

test('a model goes onto the GPU that is asked for, or is refused', async () => {
  const exported = new URL('../../../test/golden-onnx/llama-masked', import.meta.url).pathname;
  for (const path of [orator, exported]) {
    const placement = { provider: 'cuda', device: 99 } as const;
    await expect(OnnxModel.load(path, { topK: 4, threads: 1, placement })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringMatching(/^ONNX Runtime cannot compute on a GPU here/),
    });
  }
});

test('no texts have no outcomes', async () => {
  expect(await model.score([], 4, {})).toEqual([]);
});

test('what has nothing to do with the texts is no refusal', async () => {
  const closed = await load();
  await closed.close();
  await expect(closed.score(['a', 'b'], 4, {})).rejects.toMatchObject({ code: 'internal' });
});

test('replicas of a model have one fingerprint, and another model has another', async () => {
  const replica = await load();
  expect(replica.fingerprint).toEqual(model.fingerprint);
  await replica.close();
  const sage = await OnnxModel.load(orator.replace('orator', 'target'), { topK: 4, threads: 1 });
  expect(sage.fingerprint).not.toEqual(model.fingerprint);
  await sage.close();
});

test('a quantized model generates what it scores highest, and says how it computes', async () => {
  const directory = await temporaryDirectory();
  const golden = new URL('../../../test', import.meta.url).pathname;
  await cp(join(golden, 'golden-quantized', 'gptq-act-order'), directory, { recursive: true });
  const tokenizer = join(golden, 'golden-onnx', 'llama-masked', 'tokenizer.json');
  await cp(tokenizer, join(directory, 'tokenizer.json'));
  const told: string[] = [];
  const quantized = await OnnxModel.load(directory, {
    topK: 1,
    threads: 1,
    onQuantized: (line) => told.push(line),
  });
  expect(told).toEqual(['Of its quantized weights (gptq, 4 bits), 7 are computed as they are, 0 as float32']);
  const prompt = 'w3 w1 w4 w1 w5 w9';
  const request = { prompt, maxTokens: 4, temperature: 0, topP: 1, stop: [], seed: 0 };
  let text = prompt;
  for await (const piece of quantized.generate(request, new AbortController().signal)) text += piece.text;
  const [outcome] = await quantized.score([text], 1, {});
  const { ids } = await quantized.tokenizer.encode(text);
  const { candidateIds } = outcome as ScoredText;
  // What follows the prompt is what is most probable after each token, by the other graph.
  const first = ids.length - 4;
  expect([...candidateIds.subarray(first - 1, ids.length - 1)]).toEqual([...ids.subarray(first)]);
  await quantized.close();
});
