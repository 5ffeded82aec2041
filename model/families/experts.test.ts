import { cp, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenModel, goldenTeachers, openExpected, readInt32 } from '../../test/support/golden.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import { openSession } from '../runtime/session.ts';
import { Scorer } from '../scoring/scorer.ts';
import { routed } from './experts.ts';
import { Modules } from './modules.ts';
import { readArchitecture, readTrainable } from './read-architecture.ts';
import { parameterCount } from './weight-shapes.ts';
import { openWeights } from './weights.ts';

const names = { module: 'mlp', gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };

it('gives a token to its experts alone: what another expert would make of it does not matter', async () => {
  const graph = createGraph();
  const experts = { count: 3, perToken: 1, intermediateSize: 2, isNormalised: true, names };
  const layer = new Modules({
    weight: (name) => graph.input(name, 'float32', name.endsWith('mlp.gate.weight') ? [3, 2] : [2, 2]),
  });
  const y = routed(graph.input('x', 'float32', ['tokens', 2]), layer, experts, {
    name: 'layer',
    activate: (gate) => gate,
  });
  const session = await openSession(emitModel({ y }), { threads: 1 });
  const matrix = (data: readonly number[], rows = 2) => ({ data: Float32Array.from(data), shape: [rows, 2] });
  const expert = (i: number, scale: number) =>
    Object.fromEntries(
      ['gate_proj', 'up_proj', 'down_proj'].map((name) => [
        `mlp.experts.${i}.${name}.weight`,
        matrix([scale, 0, 0, scale]),
      ]),
    );
  // The first and the third token go to expert 2, the second to expert 0, and none to expert 1.
  const results = await session.run({
    x: matrix([1, 2, 3, 0, 1, 4], 3),
    'mlp.gate.weight': matrix([9, 0, -9, -9, 0, 9], 3),
    ...expert(0, 1),
    ...expert(1, Number.NaN),
    ...expert(2, 2),
  });
  expect([...(results['y'] as Float32Array)]).toEqual([8, 32, 9, 0, 8, 128]);
  await session.close();
});

it('scores what transformers scores, from files with experts apart and in one tensor', async () => {
  for (const directory of goldenTeachers()) {
    const expected = await openExpected(directory);
    const [rows, length, vocabulary] = expected.tensors.get('logits')!.shape;
    const logits = await expected.readFloat32('logits');
    const ids = await readInt32(expected, 'input_ids');
    await expected.close();
    const model = await withTokenizer(directory, vocabulary);
    const scorer = await Scorer.load(model, { topK: 1, threads: 1 });
    const texts = Array.from({ length: rows }, (_, row) => ids.slice(row * length, (row + 1) * length));
    const scores = await scorer.scoreTokens(texts);
    await scorer.close();
    for (let row = 0; row < rows; row++)
      for (let i = 1; i < length; i++) {
        const begin = (row * length + i - 1) * vocabulary;
        const before = logits.subarray(begin, begin + vocabulary);
        const largest = Math.max(...before);
        const total = Math.log(before.reduce((sum, value) => sum + Math.exp(value - largest), 0)) + largest;
        expect(scores[row][i], basename(directory)).toBeCloseTo(before[texts[row][i]] - total, 4);
      }
  }
});

/** A copy of a golden model, with words for a vocabulary. */
async function withTokenizer(directory: string, size: number): Promise<string> {
  const model = await temporaryDirectory();
  await cp(directory, model, { recursive: true });
  const tokenizer = await readFile(
    join(import.meta.dirname, '../../test/golden-onnx/llama-masked/tokenizer.json'),
    'utf8',
  );
  expect(Object.keys(JSON.parse(tokenizer).model.vocab)).toHaveLength(size);
  await writeFile(join(model, 'tokenizer.json'), tokenizer);
  return model;
}

it('counts all experts as parameters, whatever file they are in', async () => {
  for (const name of ['mixtral-together', 'qwen3_moe-sparse-tied']) {
    const directory = goldenModel(name);
    const architecture = await readArchitecture(directory);
    const source = await openWeights(directory, architecture);
    const bytes = [...source.tensors.values()].reduce((sum, tensor) => sum + tensor.byteLength, 0);
    await source.close();
    expect(bytes).toBe(4 * parameterCount(architecture.weights));
  }
});

it('is no target, and says what to do', async () => {
  await expect(readTrainable(goldenModel('mixtral-grouped'))).rejects.toThrow(
    /mixtral-grouped is a mixtral: it can teach and generate, but not be trained, .*; name another target/,
  );
});

describe('a config.json that says something else is refused', () => {
  const read = async (golden: string, change: object) => {
    const directory = await temporaryDirectory();
    const config = JSON.parse(await readFile(join(goldenModel(golden), 'config.json'), 'utf8'));
    await writeFile(join(directory, 'config.json'), JSON.stringify({ ...config, ...change }));
    return readArchitecture(directory);
  };

  it.each([
    [{ shared_expert_intermediate_size: 64 }, /shared_expert_intermediate_size: only 0 is supported/],
    [{ num_experts_per_tok: 9 }, /num_experts_per_tok: must be no more than there are experts/],
    [{ model_type: 'qwen2_moe' }, /model_type "qwen2_moe" is not supported; supported: .*qwen3_moe/],
  ])('%j', async (change, problem) => {
    await expect(read('qwen3_moe-grouped', change)).rejects.toThrow(problem);
  });

  it('but experts may be counted under either name, and layers have none', async () => {
    const { num_local_experts, ...rest } = JSON.parse(
      await readFile(join(goldenModel('mixtral-grouped'), 'config.json'), 'utf8'),
    );
    const gate = 'model.layers.0.block_sparse_moe.gate.weight';
    const counted = await read('mixtral-grouped', { ...rest, num_local_experts: undefined, num_experts: 3 });
    expect(counted.weights.get(gate)?.[0]).toBe(3);
    const sparse = await read('qwen3_moe-sparse-tied', { mlp_only_layers: [0, 1, 2, 3] });
    expect([...sparse.weights.keys()].some((name) => name.includes('experts'))).toBe(false);
    expect(sparse.trainingProblem).toBeUndefined();
  });
});
