import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Scorer } from '../../model/scoring/scorer.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { emptyRow, massOf } from '../fuse/sparse-row.ts';
import { sourceVocabulary } from '../vocabulary/source-vocabulary.ts';
import { minimumEditDistanceMap } from './minimum-edit-distance.ts';
import { rowsByTimeWarping } from './rows-by-time-warping.ts';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
const text = 'The whale rose slowly beside the ship, and all hands ran to the boats.';

it("gives a real teacher's text to the target as FuseLLM does: a distribution at every token of the text", async () => {
  const scorer = await Scorer.load(join(zoo, 'novelist'), { topK: 8, threads: 1 });
  const [scored] = await scorer.score([text]);
  await scorer.close();
  const source = scorer.tokenizer;
  const target = await Tokenizer.fromFile(join(zoo, 'target', 'tokenizer.json'));
  const vocabulary = await sourceVocabulary(minimumEditDistanceMap(source, target), source, target);
  const tokenization = await target.encode(text);
  const { read, rows } = rowsByTimeWarping(
    target,
    source,
    vocabulary,
    1,
  )(tokenization, {
    ...scored,
    document: 0,
    teacher: 'novelist',
    tokenizerFingerprint: source.fingerprint,
  });

  const mass = { exact: 0, byRule: 0, dropped: 0 };
  const row = emptyRow(8);
  let ownTokens = 0;
  const inFront = tokenization.ends.findIndex((end) => end > 0);
  for (const [position, id] of tokenization.ids.entries()) {
    read(position, 0, row, mass);
    if (position < inFront) {
      expect(row.count).toBe(0);
      continue;
    }
    expect(massOf(row)).toBeCloseTo(1, 5);
    // Where tokens do not match, FuseLLM teaches the token itself.
    if (row.count === 1 && row.ids[0] === id) ownTokens++;
    else {
      const ends = scored.ends[rows[position]];
      expect(ends).toBe(tokenization.ends[position]);
    }
  }
  expect(ownTokens).toBeGreaterThan(0);
  expect(ownTokens).toBeLessThan(tokenization.ids.length / 2);
  expect(mass.exact).toBeGreaterThan(mass.byRule);
  expect(mass.byRule).toBeGreaterThan(0);
});
