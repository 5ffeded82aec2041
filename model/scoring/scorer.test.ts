import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestDifference } from '../../test/support/golden.ts';
import { Scorer } from './scorer.ts';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
let scorer: Scorer;
let texts: string[];

beforeAll(async () => {
  scorer = await Scorer.load(join(zoo, 'novelist'), { topK: 10, threads: 1 });
  const passages = await readFile(join(zoo, 'held-out', 'fiction.txt'), 'utf8');
  texts = passages
    .split('\n\n')
    .filter((text) => text.length > 40 && text.length < 400)
    .slice(0, 4);
});
afterAll(() => scorer.close());

describe('Scorer', () => {
  it('tells what model it is', () => {
    expect(scorer.card).toMatchObject({ family: 'mpt', vocabularySize: 3000, contextLength: 256 });
    expect(scorer.card.parameters).toBeGreaterThan(1e6);
  });

  it('gives candidates by falling probability, and the mass that they hold', async () => {
    const [scored] = await scorer.score(texts.slice(0, 1), 3000);
    const n = scored.tokenIds.length;
    expect(n).toBeGreaterThan(10);
    for (let i = 0; i < n; i++) {
      const row = scored.logProbabilities.subarray(i * 3000, (i + 1) * 3000);
      for (let j = 1; j < 3000; j++) expect(row[j]).toBeLessThanOrEqual(row[j - 1]);
      expect(new Set(scored.candidateIds.subarray(i * 3000, (i + 1) * 3000)).size).toBe(3000);
      expect(scored.keptMass[i]).toBeCloseTo(1, 4);
    }
  });

  it("sums the text's cross-entropy over the tokens that have one before them", async () => {
    const [scored] = await scorer.score(texts.slice(0, 1), 3000);
    const { tokenIds: ids } = scored;
    let expected = 0;
    for (let i = 0; i + 1 < ids.length; i++) {
      const row = scored.candidateIds.subarray(i * 3000, (i + 1) * 3000);
      expected -= scored.logProbabilities[i * 3000 + row.indexOf(ids[i + 1])];
    }
    expect(scored.crossEntropy).toBeCloseTo(expected, 3);
    expect(scored.predictedTokens).toBe(ids.length - 1);
    // Its tokenizer begins with <s>, so every byte is predicted.
    expect(scored.predictedBytes).toBe(Buffer.byteLength(texts[0]));
  });

  it('scores a text alike alone and among longer ones', async () => {
    const together = await scorer.score(texts);
    for (const [i, text] of texts.entries()) {
      const [alone] = await scorer.score([text]);
      expect(alone.tokenIds).toEqual(together[i].tokenIds);
      expect(alone.ends).toEqual(together[i].ends);
      expect(largestDifference(alone.logProbabilities, together[i].logProbabilities)).toBeLessThan(1e-4);
    }
  });

  it('scores token ids as it scores the text that they are of', async () => {
    const scored = await scorer.score(texts);
    const ids = scored.map(({ tokenIds }) => tokenIds);
    expect(await scorer.scoreTokens(ids)).toEqual(
      scored.map(({ tokenLogProbabilities }) => tokenLogProbabilities),
    );
    await expect(scorer.scoreTokens([new Int32Array(0)])).rejects.toThrow('nothing to score');
  });

  it('refuses what it cannot score', async () => {
    await expect(scorer.score([texts[0].repeat(20)])).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('split the text'),
    });
    await expect(scorer.score(texts, 0)).rejects.toThrow('top_k is 0; use 1 to 3000');
    await expect(Scorer.load(join(zoo, 'no-such'), { topK: 1, threads: 1 })).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('no-such'),
    });
  });
});
