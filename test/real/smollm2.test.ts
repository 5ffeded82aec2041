import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GenerationMethods } from '../../model/generation/generation-worker.ts';
import { startWorker } from '../../model/runtime/worker.ts';
import { openSafetensors } from '../../model/safetensors/safetensors-file.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { runCommand } from '../end-to-end/command.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from '../end-to-end/small-run.ts';
import { largestDifference, readInt32 } from '../support/golden.ts';

const root = join(import.meta.dirname, '..', '..');
const smollm2 = join(root, 'models', 'smollm2-135m-instruct');
const zoo = join(root, 'examples', 'zoo');
const openGolden = () => openSafetensors(join(root, 'test', 'golden-smollm2', 'expected.safetensors'));

interface Outcome {
  readonly domains: { readonly domain: string; readonly before: number; readonly after: number }[];
}

/** SHA-256 of what was imported when transformers and llama.cpp were compared with it (test/oracle/smollm2.py). */
const sums: Readonly<Record<string, string>> = {
  'config.json': 'a8063ed99e91623fbf49816a4bf51843726988fd604731751eff0a7eeb5423c3',
  'generation_config.json': '951b0e195560b97e14c774a1b492513fed382006cf28e109378f52b412d75eaf',
  'model.safetensors': 'a672150fb4f99d7c8f4168cecdd464069c0ef3a37d8113f22ddb9d48031d03cd',
  'tokenizer.json': '566211ca7b99874734d48d5c1c6836fcf61986efc782d89b0b192071f7a93d8e',
  'tokenizer_config.json': '86e443f1badd95da562d17a8f27b44f8e841591828f52444a56b49f77dd084c2',
};

describe('SmolLM2-135M', () => {
  it.each(Object.entries(sums))('is imported to the same bits: %s', async (name, sum) => {
    const bytes = await readFile(join(smollm2, name));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sum);
  });

  it("gives transformers' log-probabilities", { timeout: 300_000 }, async () => {
    const golden = await openGolden();
    const ids = await readInt32(golden, 'input_ids');
    const picked = await readInt32(golden, 'picked_ids');
    const logits = await golden.readFloat32('logits');
    await golden.close();
    const tokenizer = await Tokenizer.fromFile(join(smollm2, 'tokenizer.json'));
    const text = await tokenizer.decode(ids);

    const scorer = await Scorer.load(smollm2, { topK: 10, threads: 2 });
    const [scored] = await scorer.score([text], scorer.card.vocabularySize);
    await scorer.close();
    expect(scored.tokenIds).toEqual(ids);
    const size = scorer.card.vocabularySize;
    for (let row = 0; row < ids.length; row++) {
      const candidates = scored.candidateIds.subarray(row * size, (row + 1) * size);
      const ours = Array.from(picked, (id) => scored.logProbabilities[row * size + candidates.indexOf(id)]);
      const theirs = logits.subarray(row * picked.length, (row + 1) * picked.length);
      // Logits and log-probabilities of a row differ by one number.
      const shift = theirs[0] - ours[0];
      const shifted = ours.map((value) => value + shift);
      expect(largestDifference(shifted, theirs)).toBeLessThan(2e-4);
    }
  });

  it('generates what transformers generates, 16 texts of different lengths at a time', {
    timeout: 300_000,
  }, async () => {
    const golden = await openGolden();
    const prompt = (await readInt32(golden, 'input_ids')).slice(0, 24);
    const greedy = await readInt32(golden, 'greedy');
    await golden.close();
    expect(greedy).toHaveLength(64);
    const whole = [...prompt, ...greedy];
    const file = new URL('../../model/generation/generation-worker.ts', import.meta.url);
    const { remote, stop } = startWorker<GenerationMethods>(file);
    await remote.load(0, smollm2, { threads: 2, most: 2 ** 30 });
    // Of each text transformers has generated four tokens more than the one before: it goes on as that text does.
    const texts = Array.from({ length: 16 }, (_, i) => whole.slice(0, prompt.length + 4 * i));
    const sampling = { temperature: 0, topP: 1, seed: 0 };
    for (const [id, text] of texts.entries()) {
      const sequence = { id, prompt: Int32Array.from(text), sampling, logProbabilities: undefined };
      await remote.begin(0, { ...sequence, most: whole.length });
    }
    for (let left = texts.length; left > 0; ) {
      for (const outcome of await remote.step()) {
        if (!('token' in outcome)) throw new Error(outcome.message);
        const text = texts[outcome.sequence];
        text.push(outcome.token);
        if (text.length < whole.length) continue;
        await remote.end(outcome.sequence);
        left--;
      }
    }
    await stop();
    expect(texts).toEqual(texts.map(() => whole));
  });
});

describe('in a run', () => {
  let corpus: SmallCorpus;
  beforeAll(async () => {
    corpus = await makeSmallCorpus({ bytesOfDomain: 6000 });
  });
  afterAll(() => corpus.remove());

  const up = async (path: string, settings: readonly string[]): Promise<Outcome> => {
    const { code, stdout, stderr } = await runCommand([
      'up',
      path,
      '--json',
      ...settings.flatMap((setting) => ['--set', setting]),
    ]);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as Outcome;
  };
  const sum = ({ domains }: Outcome, of: 'before' | 'after') =>
    domains.reduce((total, domain) => total + domain[of], 0);

  it('teaches a small model of another tokenizer', { timeout: 600_000 }, async () => {
    const run = await writeRunFile(corpus, {
      run: 'real-teacher',
      changes: { teachers: [{ name: 'smollm2', address: '127.0.0.1:0', model: smollm2, threads: 2 }] },
    });
    const outcome = await up(run.path, []);
    expect(sum(outcome, 'after')).toBeLessThan(sum(outcome, 'before'));
  });

  it('is fine-tuned by adapters, and keeps its weights', { timeout: 600_000 }, async () => {
    const run = await writeRunFile(corpus, {
      run: 'real-target',
      changes: {
        teachers: [{ name: 'novelist', address: '127.0.0.1:0', model: join(zoo, 'novelist') }],
        target: { model: smollm2, lora: { rank: 8, targetModules: ['q_proj', 'v_proj', 'down_proj'] } },
      },
    });
    const outcome = await up(run.path, ['trainer.steps=8', 'trainer.learningRate=2e-4', 'trainer.threads=2']);
    expect(sum(outcome, 'after')).toBeLessThan(sum(outcome, 'before'));

    const config = await readFile(join(run.output, 'adapter', 'adapter_config.json'), 'utf8');
    expect(JSON.parse(config)).toMatchObject({ peft_type: 'LORA', r: 8, base_model_name_or_path: smollm2 });
    const [before, after] = await Promise.all(
      [smollm2, join(run.output, 'model')].map(async (directory) => {
        const file = await openSafetensors(join(directory, 'model.safetensors'));
        const values = await Promise.all(
          ['q_proj', 'k_proj'].map((name) => file.readFloat32(`model.layers.3.self_attn.${name}.weight`)),
        );
        await file.close();
        return values;
      }),
    );
    expect(largestDifference(before[0], after[0])).toBeGreaterThan(1e-5);
    expect(largestDifference(before[1], after[1])).toBe(0);
  });
});
