import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  goldenModel,
  goldenModels,
  largestDifference,
  openExpected,
  readInt32,
} from '../../test/support/golden.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import { openSession } from '../runtime/session.ts';
import { rowScope } from './attention-scope.ts';
import { hiddenStates } from './hidden-states.ts';
import { readArchitecture } from './read-architecture.ts';
import { openWeights, readWeights } from './weights.ts';

const cases = goldenModels().flatMap((path) => [
  { name: basename(path), directory: path, parts: undefined },
  {
    name: `${basename(path)}, attention in parts`,
    directory: path,
    parts: { scoreBytes: 1, fewestQueries: 3 },
  },
]);

describe('logits agree with transformers', () => {
  it.each(cases)('$name', async ({ directory, parts }) => {
    const architecture = await readArchitecture(directory);
    const source = await openWeights(directory, architecture);
    const weights = await readWeights(source, architecture);
    await source.close();
    const expected = await openExpected(directory);
    const shape = expected.tensors.get('input_ids')!.shape;
    const inputIds = await readInt32(expected, 'input_ids');

    const graph = createGraph();
    const inputs = new Map(
      [...architecture.weights].map(([name, shape]) => [name, graph.input(name, 'float32', shape)]),
    );
    const at = graph.input('position_ids', 'int64', ['batch', 'length']);
    const input = {
      inputIds: graph.input('input_ids', 'int32', ['batch', 'length']),
      positions: at,
      scope: rowScope(at, { parts }),
      weight: (name: string) => inputs.get(name)!,
    };
    const logits = architecture.logits(hiddenStates(architecture, input), input);
    const session = await openSession(emitModel({ logits }), { threads: 1 });
    const positions = BigInt64Array.from(inputIds, (_, i) => BigInt(i % shape[1]));
    const results = await session.run({
      input_ids: { data: inputIds, shape },
      position_ids: { data: positions, shape },
      ...Object.fromEntries(
        [...weights].map(([name, data]) => [name, { data, shape: architecture.weights.get(name)! }]),
      ),
    });
    const difference = largestDifference(
      results['logits'] as Float32Array,
      await expected.readFloat32('logits'),
    );
    expect(difference).toBeLessThan(2e-5);
    await session.close();
    await expected.close();
  });
});

it('takes a sliding window for the longest input: up to it the window hides nothing', async () => {
  expect((await readArchitecture(goldenModel('mistral-windowed'))).contextLength).toBe(80);
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
      'model_type "bert" is not supported; supported: llama, mistral, qwen2, qwen3, mpt, gpt2, gpt_neox',
    );
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
