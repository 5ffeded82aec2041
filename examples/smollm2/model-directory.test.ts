import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openModelTensors } from '../../model/safetensors/model-tensors.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { GgufFile } from './gguf-file.ts';
import { isWritten, writeModelDirectory } from './model-directory.ts';
import { smallGguf } from './small-gguf.ts';
import { huggingFaceName } from './weights.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-smollm2-'));
  await writeFile(join(directory, 'small.gguf'), await smallGguf());
});

afterAll(() => rm(directory, { recursive: true }));

test('a GGUF becomes a directory that scores texts', async () => {
  const model = join(directory, 'models', 'small');
  expect(await isWritten(model)).toBe(false);
  const file = await GgufFile.open(join(directory, 'small.gguf'));
  await writeModelDirectory(model, file);
  await file.close();
  expect(await isWritten(model)).toBe(true);

  const weights = await openModelTensors(model);
  expect([...weights.tensors.keys()].slice(0, 3)).toEqual([
    'model.embed_tokens.weight',
    'model.norm.weight',
    'model.layers.0.self_attn.q_proj.weight',
  ]);
  expect([...(await weights.readFloat32('model.norm.weight'))]).toEqual(Array<number>(32).fill(1));
  await weights.close();

  const scorer = await Scorer.load(model, { topK: 2, threads: 1 });
  expect(scorer.card).toMatchObject({ family: 'llama', vocabularySize: 10, contextLength: 16 });
  const [{ tokenIds, crossEntropy }] = await scorer.score(['ab a 12<|im_end|>']);
  await scorer.close();
  // Digits stand alone, although a merge would join them.
  expect([...tokenIds]).toEqual([6, 5, 3, 5, 7, 8, 2]);
  expect(crossEntropy).toBeGreaterThan(0);
});

test('what the model says of itself is kept', async () => {
  const read = async (name: string) =>
    JSON.parse(await readFile(join(directory, 'models', 'small', name), 'utf8'));
  expect(await read('config.json')).toMatchObject({
    hidden_size: 32,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    rms_norm_eps: 1e-5,
    rope_theta: 1000,
    eos_token_id: 2,
  });
  expect(await read('tokenizer_config.json')).toMatchObject({
    bos_token: '<|im_start|>',
    eos_token: '<|im_end|>',
    unk_token: '<|endoftext|>',
    chat_template: '{{ messages }}',
  });
});

test('a directory of something else is left alone', async () => {
  const other = join(directory, 'other');
  await mkdir(other);
  expect(await isWritten(other)).toBe(false);
  await writeFile(join(other, 'config.json'), '{}');
  await expect(isWritten(other)).rejects.toMatchObject({ code: 'already_exists' });
});

test('a weight that a Llama with a tied head has not is refused', () => {
  expect(huggingFaceName('blk.12.attn_output.weight')).toBe('model.layers.12.self_attn.o_proj.weight');
  expect(() => huggingFaceName('output.weight')).toThrow(RangeError);
  expect(() => huggingFaceName('blk.0.attn_q.bias')).toThrow(RangeError);
});
