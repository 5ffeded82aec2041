import { beforeAll, expect, it } from 'vitest';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { fusionSettings } from '../../test/support/fusion-settings.ts';
import { loadRealTokenizer } from '../../test/support/real-tokenizer.ts';
import { alignBySharedBoundaries } from '../align/alignment.ts';
import { prefixVocabularyMap } from '../vocabulary/prefix-map.ts';
import { sourceVocabulary } from '../vocabulary/source-vocabulary.ts';
import { emptyCount, type FusedColumns, fuseDocument } from './fuse-document.ts';
import type { FusionSettings } from './fusion-settings.ts';
import { rowsByBoundary } from './source-row.ts';

// Llama-2 writes every digit alone, GPT-4o up to three together.
let splits: Tokenizer;
let keeps: Tokenizer;
beforeAll(async () => {
  [splits, keeps] = await Promise.all((['llama2', 'gpt4o'] as const).map(loadRealTokenizer));
});

const text = 'In 2019 they sold 1204 of 375 boxes, 88 more than in 2018: 12.5 % of 100,000.';
const settings: FusionSettings = { ...fusionSettings, truncated: 'tail' };

const bytesOf = (tokenizer: Tokenizer, id: number) => tokenizer.tokenBytes(id) ?? '';
const idsOf = (tokenizer: Tokenizer, wanted: (bytes: string) => boolean) =>
  Array.from({ length: tokenizer.vocabularySize }, (_, id) => id).filter(
    (id) => !tokenizer.isByteFallback(id) && wanted(bytesOf(tokenizer, id)),
  );

/**
 * What the target learns of a source that gives 0.6 to the token that follows and 0.3 to others like it:
 * numbers where a number follows.
 */
async function learn(source: Tokenizer, target: Tokenizer) {
  const [own, theirs] = [await target.encode(text), await source.encode(text)];
  const numbers = idsOf(source, (bytes) => /^\d+$/.test(bytes)).slice(0, 30);
  const topK = 1 + numbers.length;
  const n = theirs.ids.length;
  const candidateIds = new Int32Array(n * topK);
  const logProbabilities = new Float32Array(n * topK).fill(Number.NEGATIVE_INFINITY);
  const tokenLogProbabilities = new Float32Array(n);
  for (let row = 0; row + 1 < n; row++) {
    const next = theirs.ids[row + 1];
    candidateIds[row * topK] = next;
    logProbabilities[row * topK] = tokenLogProbabilities[row + 1] = Math.log(0.6);
    const others = /^\d+$/.test(bytesOf(source, next)) ? numbers.filter((id) => id !== next) : [];
    for (const [i, id] of others.entries()) {
      candidateIds[row * topK + 1 + i] = id;
      logProbabilities[row * topK + 1 + i] = Math.log(0.3 / others.length);
    }
  }
  const distribution = {
    teacher: 'a',
    topK,
    tokenIds: theirs.ids,
    ends: theirs.ends,
    candidateIds,
    logProbabilities,
    tokenLogProbabilities,
    crossEntropy: 1,
    predictedBytes: 1,
    predictedTokens: 1,
  };
  const vocabulary = await sourceVocabulary(await prefixVocabularyMap(source, target), source, target);
  const alignment = alignBySharedBoundaries(own.ends, distribution);
  const columns: FusedColumns = {
    candidates: topK,
    fusedIds: new Int32Array(own.ids.length * topK),
    fusedProbabilities: new Float32Array(own.ids.length * topK),
    fusedTail: new Float32Array(own.ids.length),
  };
  const read = rowsByBoundary(distribution, alignment, vocabulary, 1);
  const fusable = { distribution, align: () => ({ rows: alignment.rows, read }) };
  fuseDocument({ ids: own.ids }, [fusable], settings, columns, 0, emptyCount(1));
  return Array.from(own.ids.subarray(1), (label, position) => {
    const mass = new Map<string, number>();
    for (let i = position * topK; i < (position + 1) * topK; i++) {
      const probability = columns.fusedProbabilities[i];
      if (probability > 0) mass.set(bytesOf(target, columns.fusedIds[i]), probability);
    }
    return { label: bytesOf(target, label), mass };
  });
}

it('a source that splits numbers gives the whole its chained probability, and shorter ones nothing', async () => {
  const rows = await learn(splits, keeps);
  const longer = rows.filter(({ label }) => /^\d{2,}$/.test(label));
  expect(longer.map(({ label }) => label)).toEqual(
    expect.arrayContaining(['201', '120', '375', '88', '12', '100', '000']),
  );
  for (const { label, mass } of longer) {
    expect(mass.get(label)).toBeCloseTo(0.6 ** label.length, 5);
    expect([...mass.keys()].filter((bytes) => /^\d+$/.test(bytes))).toEqual([label]);
  }
});

it('a source that keeps numbers whole gives the first digit the mass of all that begin with it', async () => {
  const rows = await learn(keeps, splits);
  const source = idsOf(keeps, (bytes) => /^\d+$/.test(bytes)).slice(0, 30);
  const begin = rows.filter(({ label, mass }) => /^\d$/.test(label) && mass.size > 1);
  expect(begin.length).toBeGreaterThan(6);
  for (const { label, mass } of begin) {
    for (const bytes of mass.keys()) expect(bytes).toMatch(/^\d$/);
    const others = source.filter((id) => bytesOf(keeps, id).startsWith(label)).length;
    expect(mass.get(label)!).toBeGreaterThan(0.5999);
    expect(mass.get(label)!).toBeLessThan(0.6 + (0.3 * (others + 1)) / 29);
  }
  // Inside of a number that the source writes as one token, it says nothing.
  expect(rows.filter(({ label, mass }) => /^\d$/.test(label) && mass.size === 0).length).toBeGreaterThan(6);
});
