import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changedGguf, goldenGguf } from '../../test/support/gguf.ts';
import { largestDifference, readInt32 } from '../../test/support/golden.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { rowScope } from '../families/attention-scope.ts';
import { hiddenStates } from '../families/hidden-states.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { openWeights, readWeights } from '../families/weights.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import { openSession } from '../runtime/session.ts';
import { openSafetensors } from '../safetensors/safetensors-file.ts';
import { Scorer } from '../scoring/scorer.ts';
import type { GgufHeader, GgufValue } from './header.ts';
import { importGguf } from './import-gguf.ts';

/** Golden logits have every so many ids (test/oracle/gguf_models.py). */
const step = 6;

const readJson = async (...path: string[]) => JSON.parse(await readFile(join(...path), 'utf8'));

describe('an imported model gives the logits of the one in the file', () => {
  it.each([
    ['llama', 'llama'],
    ['llama-stretched', 'llama'],
    ['qwen2', 'qwen2'],
    ['qwen3', 'qwen3'],
    ['gpt2', 'gpt2'],
    ['gpt_neox', 'gpt_neox'],
    ['mpt', 'mpt'],
    ['gemma', 'gemma'],
    ['gemma2', 'gemma2'],
    ['gemma3', 'gemma3_text'],
    ['phi3', 'phi3'],
    ['olmo2', 'olmo2'],
    ['smollm3', 'smollm3'],
    ['granite', 'granite'],
    ['starcoder2', 'starcoder2'],
    ['stablelm', 'stablelm'],
    ['falcon', 'falcon'],
    ['falcon-grouped', 'falcon'],
    ['falcon-one-norm', 'falcon'],
  ])('%s', async (name, family) => {
    const directory = join(await temporaryDirectory(), 'models', name);
    const seen: number[] = [];
    const imported = await importGguf(goldenGguf(`${name}.gguf`), directory, {
      onProgress: (done, all) => seen.push(done / all),
    });
    expect(imported.family).toBe(family);
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));

    const expected = await openSafetensors(goldenGguf('expected.safetensors'));
    const logits = await expected.readFloat32(`${name}.logits`);
    const inputIds = await readInt32(expected, 'input_ids');
    await expected.close();
    const ours = await logitsOf(directory, inputIds);
    expect(largestDifference(ours, logits)).toBeLessThan(2e-4);

    // A teacher can be made of it.
    const scorer = await Scorer.load(directory, { topK: 2, threads: 1 });
    const [{ crossEntropy }] = await scorer.score(['The ship came home.']);
    expect(crossEntropy).toBeGreaterThan(0);
    await scorer.close();
  });
});

/** Logits of the kept ids, row by row. */
async function logitsOf(directory: string, inputIds: Int32Array<ArrayBuffer>): Promise<Float32Array> {
  const architecture = await readArchitecture(directory);
  const source = await openWeights(directory, architecture);
  const weights = await readWeights(source, architecture);
  await source.close();
  const graph = createGraph();
  const inputs = new Map(
    [...architecture.weights].map(([name, shape]) => [name, graph.input(name, 'float32', shape)]),
  );
  const at = graph.input('position_ids', 'int64', ['batch', 'length']);
  const input = {
    inputIds: graph.input('input_ids', 'int32', ['batch', 'length']),
    positions: at,
    scope: rowScope(at),
    weight: (name: string) => inputs.get(name)!,
  };
  const logits = architecture.logits(hiddenStates(architecture, input), input);
  const session = await openSession(emitModel({ logits }), { threads: 1 });
  const shape = [1, inputIds.length];
  const results = await session.run({
    input_ids: { data: inputIds, shape },
    position_ids: { data: BigInt64Array.from(inputIds, (_, i) => BigInt(i)), shape },
    ...Object.fromEntries(
      [...weights].map(([name, data]) => [name, { data, shape: architecture.weights.get(name)! }]),
    ),
  });
  await session.close();
  const size = architecture.vocabularySize;
  return (results['logits'] as Float32Array).filter((_, i) => (i % size) % step === 0);
}

describe('the directory', () => {
  it('says what the file says', async () => {
    const directory = join(await temporaryDirectory(), 'model');
    await importGguf(goldenGguf('llama-stretched.gguf'), directory);
    expect(await readJson(directory, 'config.json')).toMatchObject({
      model_type: 'llama',
      head_dim: 32,
      attention_bias: true,
      tie_word_embeddings: true,
      max_position_embeddings: 131072,
      rms_norm_eps: 1e-6,
      rope_theta: 500000,
      rope_scaling: {
        rope_type: 'llama3',
        factor: 32,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      },
      bos_token_id: 330,
      eos_token_id: 331,
    });
    expect(await readJson(directory, 'tokenizer_config.json')).toMatchObject({
      add_bos_token: true,
      bos_token: '<|endoftext|>',
      eos_token: '<|im_start|>',
      chat_template: '{{ messages }}',
      model_max_length: 131072,
    });
  });

  it.each([
    [
      { 'llama.attention.sliding_window': 80 },
      { model_type: 'mistral', sliding_window: 80, rope_scaling: null },
    ],
    [
      { 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': 2 },
      { model_type: 'llama', rope_scaling: { rope_type: 'linear', factor: 2 } },
    ],
    [{ 'llama.rope.scale_linear': 4 }, { rope_scaling: { rope_type: 'linear', factor: 4 } }],
    [{ 'llama.rope.scaling.type': 'none', 'llama.expert_count': 0 }, { rope_scaling: null }],
    [
      {
        'llama.rope.scaling.type': 'yarn',
        'llama.rope.scaling.factor': 4,
        'llama.rope.scaling.original_context_length': 24,
        'llama.rope.scaling.yarn_beta_fast': 16,
        'llama.rope.scaling.yarn_ext_factor': 1,
      },
      {
        rope_scaling: {
          rope_type: 'yarn',
          factor: 4,
          original_max_position_embeddings: 24,
          beta_fast: 16,
          truncate: true,
        },
      },
    ],
  ])('with %j has %j', async (entries, config) => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'changed.gguf');
    const change = ({ metadata }: Pick<GgufHeader, 'metadata'>) => ({
      metadata: new Map([...metadata, ...Object.entries(entries)]),
    });
    await writeFile(path, await changedGguf('llama.gguf', change));
    await importGguf(path, join(directory, 'model'));
    expect(await readJson(directory, 'model', 'config.json')).toMatchObject(config);
    await readArchitecture(join(directory, 'model'));
  });

  it('says what a file of Gemma 3 leaves to the one who reads it', async () => {
    const directory = join(await temporaryDirectory(), 'model');
    await importGguf(goldenGguf('gemma3.gguf'), directory);
    expect(await readJson(directory, 'config.json')).toMatchObject({
      model_type: 'gemma3_text',
      query_pre_attn_scalar: 12,
      rope_local_base_freq: 10_000,
      rope_scaling: { rope_type: 'linear', factor: 8 },
      layer_types: [...Array(5).fill('sliding_attention'), 'full_attention'],
    });
  });

  it('keeps float16 and bfloat16 as they are, and makes float32 of what is quantised', async () => {
    const directory = join(await temporaryDirectory(), 'model');
    await importGguf(goldenGguf('llama.gguf'), directory);
    const file = await openSafetensors(join(directory, 'model.safetensors'));
    await file.close();
    const dtype = (part: string) => file.tensors.get(`model.layers.0.${part}.weight`)?.dtype;
    expect(['mlp.up_proj', 'mlp.down_proj', 'mlp.gate_proj', 'input_layernorm'].map(dtype)).toEqual([
      'F16',
      'BF16',
      'F32',
      'F32',
    ]);
  });

  it('holds nothing else, and is left alone when it does', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'notes.txt'), '');
    const refused = importGguf(goldenGguf('qwen3.gguf'), directory);
    await expect(refused).rejects.toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining(directory),
    });
    expect(await readdir(directory)).toEqual(['notes.txt']);
    await mkdir(join(directory, 'empty'));
    await importGguf(goldenGguf('qwen3.gguf'), join(directory, 'empty'));
    expect((await readdir(directory)).sort()).toEqual(['empty', 'notes.txt']);
  });

  it('is not there when it was stopped', async () => {
    const directory = await temporaryDirectory();
    const abort = new AbortController();
    const stopped = importGguf(goldenGguf('qwen3.gguf'), join(directory, 'model'), {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('what cannot be converted is named, and nothing is written', () => {
  type Change = (head: Pick<GgufHeader, 'metadata' | 'tensors'>) => Partial<GgufHeader>;
  const set =
    (key: string, value: GgufValue | undefined): Change =>
    ({ metadata }) => {
      const changed = new Map(metadata);
      if (value === undefined) changed.delete(key);
      else changed.set(key, value);
      return { metadata: changed };
    };
  const tensor =
    (name: string, changed: Partial<GgufHeader['tensors'][number]>): Change =>
    ({ tensors }) => ({ tensors: tensors.map((one) => (one.name === name ? { ...one, ...changed } : one)) });

  const refusals: readonly [string, string, Change, string][] = [
    [
      'an architecture',
      'qwen3',
      set('general.architecture', 'bert'),
      'general.architecture is "bert"; supported: llama,',
    ],
    ['a part of a model', 'qwen3', set('split.count', 3), 'split.count is 3'],
    ['an adapter', 'qwen3', set('general.type', 'adapter'), 'general.type is "adapter"'],
    [
      'a key that changes the model',
      'llama',
      set('llama.attention.scale', 0.1),
      'llama.attention.scale = 0.1',
    ],
    ['experts', 'llama', set('llama.expert_count', 8), 'llama.expert_count = 8'],
    [
      'windows of OLMo 3',
      'olmo2',
      set('olmo2.attention.sliding_window', 8),
      'olmo2.attention.sliding_window = 8',
    ],
    [
      'layers without positions',
      'granite',
      set('granite.rope.scaling.finetuned', false),
      'granite.rope.scaling.finetuned is false',
    ],
    [
      'another residual than its tensors have',
      'stablelm',
      set('stablelm.use_parallel_residual', false),
      'stablelm.use_parallel_residual is false',
    ],
    [
      'the original norms of a Falcon-RW',
      'falcon',
      tensor('blk.0.attn_norm.weight', { name: 'blk.0.ffn_norm.weight' }),
      'ffn_norm.weight has no place in a falcon',
    ],
    ['another scaling', 'phi3', set('phi3.rope.scaling.type', 'yarn'), 'phi3.rope.scaling.type is "yarn"'],
    [
      'an amplitude of factors that are not there',
      'phi3',
      ({ tensors }) => ({ tensors: tensors.filter(({ name }) => !name.startsWith('rope_factors')) }),
      'phi3.rope.scaling.attn_factor is 1.22',
    ],
    ['a missing size', 'gpt2', set('gpt2.block_count', undefined), 'gpt2.block_count is missing'],
    ['a number a layer', 'llama', set('llama.attention.head_count', [4, 4]), 'head_count is no number'],
    [
      'a temperature of attention',
      'qwen2',
      set('qwen2.rope.scaling.attn_factor', 2),
      'rope.scaling.attn_factor is 2',
    ],
    ['no embedding', 'gpt2', tensor('token_embd.weight', { name: 'other' }), 'no tensor token_embd.weight'],
    [
      'a tokenizer of another model',
      'llama',
      ({ metadata }) => ({
        metadata: new Map([
          ...metadata,
          ['tokenizer.ggml.tokens', [...(metadata.get('tokenizer.ggml.tokens') as string[]), 'one more']],
        ]),
      }),
      'has 401 tokens, the model 400',
    ],
    [
      'merges of tokens that are not there',
      'qwen2',
      set('tokenizer.ggml.merges', ['nowhere nothing']),
      'is not a tokenizer of Hugging Face',
    ],
    [
      'rotary scaling',
      'qwen2',
      set('qwen2.rope.scaling.type', 'longrope'),
      'rope.scaling.type is "longrope"',
    ],
    ['a window', 'qwen2', set('qwen2.attention.sliding_window', 8), 'sliding_window is 8'],
    ['a part of a head', 'llama', set('llama.rope.dimension_count', 4), 'makes [32, 32] and not [16, 32]'],
    [
      'a pre-tokenizer',
      'qwen2',
      set('tokenizer.ggml.pre', 'default'),
      'tokenizer.ggml.pre is "default"; known: gpt-2,',
    ],
    ['no pre-tokenizer', 'qwen2', set('tokenizer.ggml.pre', undefined), 'tokenizer.ggml.pre is missing'],
    [
      'a tokenizer',
      'llama',
      set('tokenizer.ggml.model', 't5'),
      'tokenizer.ggml.model is "t5"; supported: gpt2, llama',
    ],
    ['no scores', 'llama', set('tokenizer.ggml.scores', undefined), 'tokenizer.ggml.scores is missing'],
    [
      'spaces joined',
      'llama',
      set('tokenizer.ggml.remove_extra_whitespaces', true),
      'remove_extra_whitespaces is true',
    ],
    ['a kind of block', 'qwen3', tensor('token_embd.weight', { type: 23 }), 'token_embd.weight is IQ4_XS'],
    [
      'a tensor without a place',
      'qwen3',
      tensor('blk.0.ffn_up.weight', { name: 'blk.0.ffn_up_exps.weight' }),
      'ffn_up_exps.weight has no place in a qwen3',
    ],
    [
      'a shape',
      'qwen3',
      tensor('blk.0.ffn_up.weight', { shape: [12, 32] }),
      'ffn_up.weight makes [12, 32] and not [24, 16]',
    ],
    [
      'a weight without a tensor',
      'qwen3',
      ({ tensors }) => ({ tensors: tensors.slice(0, -1) }),
      'it has no tensor for model.',
    ],
    [
      'another stretching',
      'llama',
      ({ tensors }) => ({
        tensors: [
          ...tensors,
          { ...tensors.find(({ name }) => name === 'output_norm.weight')!, name: 'rope_freqs.weight' },
        ],
      }),
      'rope_freqs.weight stretches',
    ],
  ];

  it.each(refusals)('%s', async (_what, name, change, reason) => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'changed.gguf');
    await writeFile(path, await changedGguf(`${name}.gguf`, change));
    const refused = importGguf(path, join(directory, 'model'));
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(reason),
    });
    expect(await readdir(directory)).toEqual(['changed.gguf']);
  });

  it('damage', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'changed.gguf');
    const whole = await readFile(goldenGguf('qwen3.gguf'));
    for (const bytes of [
      whole.subarray(0, 3),
      whole.subarray(0, 2000),
      whole.subarray(0, whole.length - 64),
      Buffer.from('GGML'),
    ]) {
      await writeFile(path, bytes);
      await expect(importGguf(path, join(directory, 'model'))).rejects.toMatchObject({
        code: 'data_loss',
        message: expect.stringContaining(path),
      });
    }
    await expect(importGguf(join(directory, 'none.gguf'), join(directory, 'model'))).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await readdir(directory)).toEqual(['changed.gguf']);
  });
});
