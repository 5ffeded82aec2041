import { expect, test } from 'vitest';
import { runConfigSchema } from '../process/config/schema.ts';
import { fusionOf } from './fusion-of-run.ts';

const config = (fusion: object, source = true) =>
  runConfigSchema.parse({
    run: 'demo',
    contextLength: 64,
    topK: 5,
    corpus: [{ domain: 'a', path: 'a.txt' }],
    teachers: [
      { name: 'orator', address: 'a:1' },
      { name: 'novelist', address: 'b:1' },
    ],
    target: { model: 'target', ...(source && { source: { address: 'c:1' } }) },
    trainer: { output: 'out' },
    fusion,
  });

test('without a word takes shared boundaries, prefixes, all sources by evidence, and a tail', () => {
  expect(fusionOf(config({}))).toEqual({
    align: 'boundary',
    vocabulary: 'prefix',
    candidates: 15,
    divergence: { kind: 'ce' },
    settings: {
      combine: 'evidence',
      weights: {},
      sharpness: 0.05,
      switching: 0.2,
      crossEntropyPer: 'byte',
      standIn: undefined,
      temperature: 1,
      truncated: 'tail',
      unaligned: 'text',
    },
    lambda: 0.15,
  });
});

test('preset fusellm is FuseLLM, but for what the file says otherwise', () => {
  expect(fusionOf(config({ preset: 'fusellm' }))).toMatchObject({
    align: 'dtw',
    vocabulary: 'minED',
    lambda: 0.9,
    settings: {
      combine: 'minCE',
      crossEntropyPer: 'token',
      standIn: 'target',
      truncated: 'renormalise',
      unaligned: 'nothing',
    },
  });
  expect(fusionOf(config({ preset: 'fusellm', vocabulary: 'exact' }, false))).toMatchObject({
    align: 'dtw',
    vocabulary: 'exact',
    settings: { standIn: undefined },
  });
});

test('what the target writes has a loss of its own', () => {
  const writing = (onPolicy: object) => {
    const prompts = [{ domain: 'a', path: 'prompts.jsonl' }];
    return fusionOf({
      ...config({}),
      ...runConfigSchema.pick({ onPolicy: true }).parse({ onPolicy: { prompts, ...onPolicy } }),
    });
  };
  expect(writing({ share: 0.5 })).toMatchObject({
    divergence: { kind: 'ce' },
    rolloutDivergence: { kind: 'reverseKL' },
    candidates: 15,
  });
  expect(writing({ loss: 'jsd', beta: 0.9 }).rolloutDivergence).toEqual({ kind: 'jsd', beta: 0.9 });
  // Of each position the drawn token alone, where there is nothing else.
  expect(writing({ loss: 'policyGradient', share: 0.5 }).candidates).toBe(15);
  expect(writing({ loss: 'policyGradient' }).candidates).toBe(1);
});

test('a mixture has room for the candidates of all sources', () => {
  expect(fusionOf(config({ combine: 'avgCE' })).candidates).toBe(15);
  expect(fusionOf(config({ combine: 'minCE' })).candidates).toBe(5);
  expect(fusionOf(config({ align: 'dtw' }))).toMatchObject({ candidates: 5, settings: { combine: 'minCE' } });
  const weights = { orator: 1, target: 3 };
  expect(fusionOf(config({ combine: 'fixed', weights }, true)).settings.weights).toEqual(weights);
});

test('a loss with a tail keeps the mass outside of the candidates there, but for what the file says otherwise', () => {
  expect(fusionOf(config({ loss: 'reverseKL' }))).toMatchObject({
    divergence: { kind: 'reverseKL' },
    settings: { truncated: 'tail' },
  });
  expect(fusionOf(config({ loss: 'jsd', beta: 0.2, truncated: 'renormalise' }))).toMatchObject({
    divergence: { kind: 'jsd', beta: 0.2 },
    settings: { truncated: 'renormalise' },
  });
});
