import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { largestDifference, openExpected, readInt32 } from '../../test/support/golden.ts';
import { hubCacheOf } from '../../test/support/hub-cache.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { Scorer } from './scorer.ts';

const golden = join(import.meta.dirname, '..', '..', 'test', 'golden-onnx');
const vocabularySize = 50;
const options = { topK: vocabularySize, threads: 1 };

interface ExpectedScores {
  readonly ids: readonly number[];
  /** The ids as words of the golden tokenizer. */
  readonly text: string;
  /** [n × vocabulary], in order of the ids. */
  readonly logProbabilities: Float32Array;
}

/** What PyTorch says of the texts of a golden model. */
async function readExpected(directory: string): Promise<ExpectedScores[]> {
  const file = await openExpected(directory);
  const [rows, length] = file.tensors.get('input_ids')!.shape;
  const inputIds = await readInt32(file, 'input_ids');
  const logProbabilities = await file.readFloat32('log_probabilities');
  await file.close();
  return Array.from({ length: rows }, (_, row) => {
    const ids = [...inputIds.subarray(row * length, (row + 1) * length)].filter((id) => id >= 0);
    const begin = row * length * vocabularySize;
    return {
      ids,
      text: ids.map((id) => `w${id}`).join(' '),
      logProbabilities: logProbabilities.subarray(begin, begin + ids.length * vocabularySize),
    };
  });
}

/** Sorts each token's candidates by id: [n × vocabulary]. */
function byId(candidateIds: Int32Array, logProbabilities: Float32Array): Float32Array {
  const sorted = new Float32Array(logProbabilities.length);
  candidateIds.forEach((id, i) => {
    sorted[i - (i % vocabularySize) + id] = logProbabilities[i];
  });
  return sorted;
}

describe('an exported model scores as in PyTorch', () => {
  it.each([
    ['llama-masked', 'llama', 2e-4],
    ['gpt2-half-external', 'gpt2', 5e-3],
    ['qwen2-cached', 'qwen2', 2e-4],
    ['gpt_neox-int32-alone', 'gpt_neox', 2e-4],
  ])('%s', async (name, family, tolerance) => {
    const directory = join(golden, name);
    const expected = await readExpected(directory);
    const scorer = await Scorer.load(directory, options);
    expect(scorer.card).toMatchObject({ family, vocabularySize, contextLength: 16 });
    expect(scorer.card.parameters).toBeGreaterThan(5000);

    // Texts of several lengths in one batch: what pads the shorter ones must not show.
    const scored = await scorer.score(expected.map(({ text }) => text));
    for (const [i, { ids, logProbabilities }] of expected.entries()) {
      expect([...scored[i].tokenIds]).toEqual(ids);
      const found = byId(scored[i].candidateIds, scored[i].logProbabilities);
      expect(largestDifference(found, logProbabilities)).toBeLessThan(tolerance);
      let crossEntropy = 0;
      for (let t = 1; t < ids.length; t++) {
        crossEntropy -= logProbabilities[(t - 1) * vocabularySize + ids[t]];
      }
      expect(Math.abs(scored[i].crossEntropy - crossEntropy)).toBeLessThan(tolerance * ids.length);
    }
    await scorer.close();
  });

  it('may be given by its file', async () => {
    for (const file of [
      join('gpt2-half-external', 'onnx', 'model.onnx'),
      join('llama-masked', 'model.onnx'),
    ]) {
      const scorer = await Scorer.load(join(golden, file), options);
      const [{ keptMass }] = await scorer.score(['w1 w2']);
      expect(keptMass[0]).toBeCloseTo(1, 4);
      await scorer.close();
    }
  });
});

it('names the file of weights that is missing', async () => {
  const directory = await temporaryDirectory();
  await cp(join(golden, 'gpt2-half-external'), directory, { recursive: true });
  await rm(join(directory, 'onnx', 'model.onnx_data'));
  await expect(Scorer.load(directory, options)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining(`there is no ${join(directory, 'onnx', 'model.onnx_data')}`),
  });
});

it("scores an exported model in the Hugging Face hub's cache, whose files are links to another directory", async () => {
  const directory = join(golden, 'gpt2-half-external');
  const scores = await Promise.all(
    [directory, await hubCacheOf(directory)].map(async (path) => {
      const scorer = await Scorer.load(path, options);
      const scored = await scorer.score(['w1 w2 w3']);
      await scorer.close();
      return scored;
    }),
  );
  expect(scores[1]).toEqual(scores[0]);
});
