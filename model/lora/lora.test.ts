import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenAdapters, goldenModel, largestDifference, openExpected } from '../../test/support/golden.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { openWeights, readWeights } from '../families/weights.ts';
import { writeSafetensors } from '../safetensors/write-safetensors.ts';
import { adapterNames, adapterShapes, initialAdapters } from './adapters.ts';
import { mergedWeights } from './merged-weights.ts';
import { adapterConfigFile, readAdapterConfig, readAdapters } from './read-adapter.ts';
import { strayTargets, targetLayers } from './target-layers.ts';
import { writeAdapterFiles } from './write-adapter.ts';

const architecture = await readArchitecture(goldenModel('llama-full-untied'));

describe('merged weights are those of peft', () => {
  it.each(goldenAdapters().map((path) => [basename(path), path]))('%s', async (_, directory) => {
    const lora = await readAdapterConfig(directory);
    const base = join(directory, lora.baseModel!);
    const architecture = await readArchitecture(base);
    const source = await openWeights(base, architecture);
    const before = await readWeights(source, architecture);
    await source.close();
    const layers = targetLayers(architecture, lora.targetModules);
    const adapters = await readAdapters(directory, adapterShapes(layers, lora.rank));
    const weights = await mergedWeights(base, lora, adapters);

    const expected = await openExpected(directory);
    let merged = 0;
    for (const [name, values] of weights) {
      const changed = expected.tensors.has(`merged:${name}`);
      const right = changed ? await expected.readFloat32(`merged:${name}`) : before.get(name)!;
      expect(largestDifference(values, right), name).toBeLessThan(1e-6);
      if (changed) merged++;
    }
    expect(merged).toBe(layers.size);
    await expected.close();
  });
});

describe('targetLayers', () => {
  const chosen = (targetModules: string | string[]) => [...targetLayers(architecture, targetModules).keys()];

  it('takes all linear layers but the head, names by their last part, and expressions for whole names', () => {
    expect(chosen('all-linear')).toHaveLength(14);
    expect(chosen('all-linear')).not.toContain('lm_head');
    expect(chosen(['q_proj', 'lm_head'])).toEqual([
      'model.layers.0.self_attn.q_proj',
      'model.layers.1.self_attn.q_proj',
      'lm_head',
    ]);
    expect(chosen(['layers.1.mlp.up_proj'])).toEqual(['model.layers.1.mlp.up_proj']);
    expect(chosen(String.raw`.*\.0\..*(gate|up)_proj`)).toEqual([
      'model.layers.0.mlp.gate_proj',
      'model.layers.0.mlp.up_proj',
    ]);
  });

  it('names what fits nothing', () => {
    expect(() => chosen(['proj'])).toThrow('"proj" fits no linear layer of the model; it has q_proj');
    expect(() => chosen(['c_attn', 'c_proj'])).toThrow('"c_attn", "c_proj" fit no linear layer');
    // peft adapts those that fit: lists are made for many models.
    expect(chosen(['q_proj', 'c_attn'])).toEqual(chosen(['q_proj']));
    expect(strayTargets(architecture, ['q_proj', 'c_attn'])).toMatch('"c_attn" fits no linear layer');
    expect(strayTargets(architecture, ['q_proj'])).toBeUndefined();
    expect(() => chosen('q_proj')).toThrow('"q_proj" fits no linear layer');
    expect(() => chosen('[')).toThrow('targetModules: Invalid regular expression');
  });
});

describe('initialAdapters', () => {
  it('changes nothing at first, and is the same every time', () => {
    const layers = targetLayers(architecture, ['down_proj']);
    const initial = initialAdapters(layers, 8);
    expect(initial).toEqual(initialAdapters(layers, 8));
    const { a, b } = adapterNames('model.layers.1.mlp.down_proj');
    expect(initial.get(b)!.every((value) => value === 0)).toBe(true);
    const bound = 1 / Math.sqrt(24);
    expect(initial.get(a)!.every((value) => Math.abs(value) <= bound)).toBe(true);
    expect(Math.max(...initial.get(a)!)).toBeGreaterThan(0.9 * bound);
  });
});

describe("an adapter's files", () => {
  const write = async (config: string) => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, adapterConfigFile), config);
    return directory;
  };

  it('say what was written', async () => {
    const written = { rank: 8, alpha: 16, targetModules: ['q_proj'], baseModel: 'llama', transposed: true };
    const directory = await temporaryDirectory();
    const tensor = { name: 'a', shape: [1, 2], weights: Float32Array.of(1, 2) };
    await writeAdapterFiles(directory, written, [tensor]);
    expect(await readAdapterConfig(directory)).toEqual(written);
    expect(await readAdapters(directory, new Map([['a', [1, 2]]]))).toEqual(new Map([['a', tensor.weights]]));
  });

  it('are refused where they ask for what we do not have', async () => {
    const golden = JSON.parse(await readFile(join(goldenAdapters()[0], adapterConfigFile), 'utf8'));
    for (const [change, problem] of [
      [{ use_dora: true }, 'use_dora: DoRA is not supported'],
      [{ bias: 'all' }, 'bias: trained biases are not supported'],
      [{ modules_to_save: ['lm_head'] }, 'modules_to_save: is set and not supported'],
      [{ rank_pattern: { q_proj: 3 } }, 'rank_pattern: is set and not supported'],
      [{ lora_bias: true }, 'lora_bias: is set and not supported'],
      [{ field_of_tomorrow: 0 }, 'field_of_tomorrow: is set and not supported'],
      [{ alora_invocation_tokens: [1, 2] }, 'alora_invocation_tokens: aLoRA, which acts'],
      [
        { init_lora_weights: 'pissa_niter_16' },
        'init_lora_weights: "pissa_niter_16" changes the base model itself',
      ],
      [{ init_lora_weights: 'olora' }, 'merge it with peft'],
      [{ init_lora_weights: 'loftq', loftq_config: { loftq_bits: 4 } }, 'init_lora_weights: "loftq" changes'],
      [{ peft_type: 'IA3' }, 'peft_type'],
    ] as const) {
      const directory = await write(JSON.stringify({ ...golden, ...change }));
      await expect(readAdapterConfig(directory)).rejects.toThrow(problem);
    }
    await expect(readAdapterConfig(await temporaryDirectory())).rejects.toMatchObject({ code: 'not_found' });
    await expect(readAdapterConfig(await write('{'))).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('are taken with fields that change nothing', async () => {
    const golden = JSON.parse(await readFile(join(goldenAdapters()[0], adapterConfigFile), 'utf8'));
    for (const change of [
      { init_lora_weights: 'gaussian', lora_dropout: 0.1, task_type: 'CAUSAL_LM', peft_version: '9.9' },
      {
        init_lora_weights: 'eva',
        eva_config: { rho: 2 },
        alora_invocation_tokens: null,
        layer_replication: [],
      },
      { use_qalora: false, qalora_group_size: 16, megatron_core: 'megatron.core', field_of_tomorrow: null },
    ]) {
      const directory = await write(JSON.stringify({ ...golden, ...change }));
      expect((await readAdapterConfig(directory)).rank).toBe(golden.r);
    }
  });

  it('are refused where a tensor is missing, too many or of another shape', async () => {
    const layers = targetLayers(architecture, ['q_proj']);
    const initial = initialAdapters(layers, 2);
    const shapes = adapterShapes(layers, 2);
    const written = async (tensors: ReadonlyMap<string, Float32Array>) => {
      const directory = await temporaryDirectory();
      await writeSafetensors(
        join(directory, 'adapter_model.safetensors'),
        [...tensors].map(([name, data]) => ({
          name,
          dtype: 'F32',
          shape: shapes.get(name) ?? [data.length],
          data: new Uint8Array(data.buffer),
        })),
      );
      return directory;
    };
    expect(await readAdapters(await written(initial), shapes)).toEqual(initial);

    const more = new Map(initial).set('other', new Float32Array(1));
    await expect(readAdapters(await written(more), shapes)).rejects.toThrow('"other" is no adapter');
    const [first] = initial.keys();
    const fewer = new Map([...initial].filter(([name]) => name !== first));
    await expect(readAdapters(await written(fewer), shapes)).rejects.toThrow(`"${first}" is missing`);
    await expect(readAdapters(await written(initial), adapterShapes(layers, 1))).rejects.toThrow(
      'is [2, 16] and should be [1, 16]',
    );
  });
});
