import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScoredText } from '../../../model/scoring/scored-text.ts';
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
