import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenModel, goldenModels, goldenTeachers, largestDifference } from '../../test/support/golden.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { wholeModel } from '../../test/support/whole-model.ts';
import { emitModel } from '../onnx/emit.ts';
import { openSession } from '../runtime/session.ts';
import { readArchitecture } from './read-architecture.ts';

const cases = [...goldenModels(), ...goldenTeachers()].flatMap((path) => [
  { name: basename(path), directory: path, parts: undefined },
  {
    name: `${basename(path)}, attention in parts`,
    directory: path,
    parts: { scoreBytes: 1, fewestQueries: 3 },
  },
]);

describe('logits agree with transformers', () => {
  it.each(cases)('$name', async ({ directory, parts }) => {
    const { logits, feeds, expected } = await wholeModel(directory, parts);
    const session = await openSession(emitModel({ logits }), { threads: 1 });
    const results = await session.run(feeds);
    const difference = largestDifference(
      results['logits'] as Float32Array,
      await expected.readFloat32('logits'),
    );
    expect(difference).toBeLessThan(2e-5);
    await session.close();
    await expected.close();
  });
});

it('says which blocks compute alike: those with a window, with positions of their own, or without any', async () => {
  const kinds = async (name: string) => {
    const { kindOfBlock, keyValueSizes } = await readArchitecture(goldenModel(name));
    return new Set(Array.from({ length: keyValueSizes.layers }, (_, i) => kindOfBlock?.(i))).size;
  };
  expect(await kinds('gemma2-alternating')).toBe(2);
  expect(await kinds('gemma3_text-alternating')).toBe(2);
  expect(await kinds('smollm3-grouped')).toBe(2);
  expect(await kinds('mistral-windowed')).toBe(1);
  expect(await kinds('gpt2-tied')).toBe(1);
});

describe('a directory that is no model of ours is refused', () => {
  const write = async (config: unknown) => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    return directory;
  };

  it('without config.json', async () => {
    await expect(readArchitecture('/no/such/model')).rejects.toThrow(
      'No model at /no/such/model/config.json',
    );
  });

  it('of an unknown family', async () => {
    await expect(readArchitecture(await write({ model_type: 'bert' }))).rejects.toThrow(
      /model_type "bert" is not supported; supported: llama, .*gpt_neox\. An ONNX export of the model can teach: `optimum/,
    );
  });

  it.each([{}, { model_type: null }, { model_type: 'toString' }])('of no family: %j', async (config) => {
    const problem = config.model_type ? '"toString" is not supported' : 'it has no model_type';
    await expect(readArchitecture(await write(config))).rejects.toThrow(problem);
  });

  it('with what its graph has no part for', async () => {
    const config = {
      model_type: 'llama',
      vocab_size: 10,
      hidden_size: 8,
      intermediate_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      rope_scaling: { type: 'llama3', factor: 8, low_freq_factor: 1 },
    };
    await expect(readArchitecture(await write(config))).rejects.toThrow('rope_scaling.high_freq_factor');
  });
});
