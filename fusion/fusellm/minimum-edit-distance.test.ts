import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalStringMap } from '../../test/support/equal-string-map.ts';
import { NOT_MAPPED } from '../vocabulary/exact-map.ts';
import { EditDistance } from './edit-distance.ts';
import { minimumEditDistanceMap } from './minimum-edit-distance.ts';
import { packStrings, type TokenStrings } from './token-strings.ts';

const vocabulary = (strings: readonly (string | undefined)[], spaceMark: string): TokenStrings => ({
  vocabularySize: strings.length,
  spaceMark,
  tokenString: (id) => strings[id],
});

const distance = new EditDistance();

/** Looks at every target token, as FuseLLM does. */
function nearestByBruteForce(string: string, targets: readonly (string | undefined)[]): number {
  let best = NOT_MAPPED;
  let least = Number.POSITIVE_INFINITY;
  for (const [id, other] of targets.entries()) {
    if (other === undefined) continue;
    const { points, offsets } = packStrings([string, other]);
    distance.start(points, 0, offsets[1]);
    const found = distance.to(points, offsets[1], offsets[2]);
    if (found < least) [best, least] = [id, found];
  }
  return best;
}

const token = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', 'c', '_', '中', '🐳'), maxLength: 7 }),
  },
  { weight: 1, arbitrary: fc.constant('=').map((sign) => sign.repeat(40)) },
);
const strings = (mark: string) =>
  fc.array(
    fc.option(
      token.map((string) => string.replaceAll('_', mark)),
      { nil: undefined, freq: 12 },
    ),
    { maxLength: 80 },
  );

describe('minimumEditDistanceMap', () => {
  it('is identical to brute force, ties included', () => {
    fc.assert(
      fc.property(strings('Ġ'), strings('▁'), (sources, targets) => {
        const map = minimumEditDistanceMap(vocabulary(sources, 'Ġ'), vocabulary(targets, '▁'));
        for (const [id, string] of sources.entries()) {
          const expected =
            string === undefined ? NOT_MAPPED : nearestByBruteForce(string.replaceAll('Ġ', '▁'), targets);
          expect(map[id]).toBe(expected);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes the same string before all, then the nearest, then the first by id', () => {
    const source = vocabulary(['Ġthe', 'theĠ', 'thx', 'Ġ中'], 'Ġ');
    const target = vocabulary(['them', 'tha', 'thé', '▁the', '!'], '▁');
    expect([...minimumEditDistanceMap(source, target)]).toEqual([3, 0, 1, 4]);
  });

  it('maps only the ids asked for', () => {
    const tokens = vocabulary(['a', 'b', 'c'], '');
    expect([...minimumEditDistanceMap(tokens, tokens, [1])]).toEqual([NOT_MAPPED, 1, NOT_MAPPED]);
  });
});

describe('equalStringMap', () => {
  it('maps a string to itself or to none', () => {
    const source = vocabulary(['Ġthe', 'the', undefined, '<0x0A>'], 'Ġ');
    const target = vocabulary(['▁the', 'Ċ', '▁the'], '▁');
    expect([...equalStringMap(source, target)]).toEqual([0, NOT_MAPPED, NOT_MAPPED, NOT_MAPPED]);
  });
});
