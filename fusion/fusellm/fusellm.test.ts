import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, type SafetensorsFile } from '../../model/safetensors/safetensors-file.ts';
import { equalStringMap } from '../../test/support/equal-string-map.ts';
import { largestDifference, readInt32 } from '../../test/support/golden.ts';
import { createRandom } from '../../test/support/random.ts';
import { loadRealTokenizer, type RealTokenizer } from '../../test/support/real-tokenizer.ts';
import { createSameToken, fusellmRows, type SourceSteps } from './fusellm-rows.ts';
import { minimumEditDistanceMap } from './minimum-edit-distance.ts';
import { createTimeWarping } from './time-warping.ts';
import type { TokenStrings } from './token-strings.ts';

/** What FuseLLM's own code made of real texts: test/oracle/fusellm.py. */
const golden = join(import.meta.dirname, '../../test/golden-fusellm');
const topK = 10;

interface GoldenText {
  readonly sourceIds: Int32Array;
  readonly targetIds: Int32Array;
  /** [target tokens] */
  readonly aligned: Int32Array;
}

/** Distributions of all steps, one after another. */
interface GoldenRows {
  readonly counts: Uint8Array;
  readonly ids: Uint16Array;
  readonly probabilities: Float32Array;
}

interface GoldenPair {
  readonly texts: readonly GoldenText[];
  readonly mapSources: Int32Array;
  readonly mapTargets: Uint16Array;
  readonly soft: GoldenRows;
  /** Of the first texts only. */
  readonly hard: GoldenRows;
}

async function readPair(name: string): Promise<GoldenPair> {
  const file = await openSafetensors(join(golden, `${name}.safetensors`));
  const readRows = async (prefix: string): Promise<GoldenRows> => ({
    counts: await file.read(`${prefix}counts`),
    ids: await readUint16(file, `${prefix}ids`),
    probabilities: await file.readFloat32(`${prefix}probabilities`),
  });
  const sourceLengths = await readInt32(file, 'source_lengths');
  const targetLengths = await readInt32(file, 'target_lengths');
  const sourceIds = cut(await readInt32(file, 'source_ids'), sourceLengths);
  const targetIds = cut(Int32Array.from(await readUint16(file, 'target_ids')), targetLengths);
  const aligned = cut(Int32Array.from(new Int16Array((await file.read('aligned')).buffer)), targetLengths);
  const pair = {
    texts: sourceIds.map((ids, i) => ({ sourceIds: ids, targetIds: targetIds[i], aligned: aligned[i] })),
    mapSources: await readInt32(file, 'map_sources'),
    mapTargets: await readUint16(file, 'map_targets'),
    soft: await readRows(''),
    hard: await readRows('hard_'),
  };
  await file.close();
  return pair;
}

async function readUint16(file: SafetensorsFile, name: string): Promise<Uint16Array> {
  return new Uint16Array((await file.read(name)).buffer);
}

function cut(all: Int32Array, lengths: Int32Array): Int32Array[] {
  let end = 0;
  return Array.from(lengths, (length) => {
    end += length;
    return all.subarray(end - length, end);
  });
}

/** The oracle's random candidates, text after text. */
function sourceSteps({ texts, mapSources }: GoldenPair): SourceSteps[] {
  const random = createRandom(2);
  return texts.map(({ sourceIds }) => {
    const candidateIds = new Int32Array(sourceIds.length * topK);
    const logProbabilities = new Float32Array(sourceIds.length * topK);
    for (let i = 0; i < candidateIds.length; i++) {
      candidateIds[i] = mapSources[Math.floor(random() * mapSources.length)];
      logProbabilities[i] = -Math.floor(random() * 1024) / 64;
    }
    return { topK, tokenIds: sourceIds, candidateIds, logProbabilities };
  });
}

/** Compares our rows of the texts with theirs, as far as they go. */
function expectRows(
  pair: GoldenPair,
  expected: GoldenRows,
  target: TokenStrings,
  source: TokenStrings,
  map: Int32Array,
) {
  const isSame = createSameToken(target, source, map);
  let row = 0;
  let entry = 0;
  for (const [text, steps] of sourceSteps(pair).entries()) {
    if (row === expected.counts.length) break;
    const { targetIds, aligned } = pair.texts[text];
    const rows = fusellmRows(targetIds, steps, aligned, map, isSame, 1);
    expect([...rows.counts], `text ${text}`).toEqual([
      ...expected.counts.subarray(row, row + targetIds.length),
    ]);
    for (let position = 0; position < targetIds.length; position++) {
      const count = rows.counts[position];
      const begin = position * topK;
      const ids = expected.ids.subarray(entry, entry + count);
      const probabilities = expected.probabilities.subarray(entry, entry + count);
      expect(largestDifference(rows.ids.subarray(begin, begin + count), ids)).toBe(0);
      const found = rows.probabilities.subarray(begin, begin + count);
      expect(largestDifference(found, probabilities)).toBeLessThanOrEqual(1e-6);
      entry += count;
    }
    row += targetIds.length;
  }
  expect([row, entry]).toEqual([expected.counts.length, expected.ids.length]);
}

const pairs: readonly (readonly [target: RealTokenizer, source: RealTokenizer])[] = [
  ['llama2', 'gpt2'],
  ['gpt2', 'llama2'],
  ['llama2', 'engineer'],
  ['llama2', 'internlm2'],
];

describe.each(pairs)("as FuseLLM's own code: target %s, source %s", (targetName, sourceName) => {
  let pair: GoldenPair;
  let target: Awaited<ReturnType<typeof loadRealTokenizer>>;
  let source: typeof target;
  let map: Int32Array;
  beforeAll(async () => {
    pair = await readPair(`${targetName}-from-${sourceName}`);
    target = await loadRealTokenizer(targetName);
    source = await loadRealTokenizer(sourceName);
    map = minimumEditDistanceMap(source, target, pair.mapSources);
  });

  it('vocabulary map', () => {
    expect(pair.mapSources.length).toBeGreaterThanOrEqual(2000);
    expect(Array.from(pair.mapSources, (id) => map[id])).toEqual([...pair.mapTargets]);
  });

  it('tokens of the texts', async () => {
    const texts: string[] = JSON.parse(await readFile(join(golden, 'texts.json'), 'utf8'));
    expect(texts.length).toBe(pair.texts.length);
    for (const [i, { targetIds, sourceIds }] of pair.texts.entries()) {
      for (const [tokenizer, withEnd] of [
        [target, targetIds],
        [source, sourceIds],
      ] as const) {
        // Our tokenizations have the beginning of sequence in front, and theirs the end behind.
        const { ids } = await tokenizer.encode(texts[i]);
        const expected = withEnd.subarray(0, -1);
        expect([...ids.subarray(ids.length - expected.length)]).toEqual([...expected]);
      }
    }
  });

  it('alignment', () => {
    expect(pair.texts.length).toBeGreaterThanOrEqual(200);
    const align = createTimeWarping(target, source);
    for (const [i, { targetIds, sourceIds, aligned }] of pair.texts.entries()) {
      expect([...align(targetIds, sourceIds)], `text ${i}`).toEqual([...aligned]);
    }
  });

  it('distributions, mapped by edit distance', () => {
    expectRows(pair, pair.soft, target, source, map);
  });

  it('distributions, mapped to equal strings or dropped', () => {
    expectRows(pair, pair.hard, target, source, equalStringMap(source, target));
  });
});
