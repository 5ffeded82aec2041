import { describe, expect, it } from 'vitest';
import { packStrings, respell, respelledStrings } from './token-strings.ts';

describe('respell', () => {
  it('exchanges every space mark', () => {
    expect(respell('ĠĠthe', 'Ġ', '▁')).toBe('▁▁the');
    expect(respell('▁the▁', '▁', '')).toBe('the');
    expect(respell('the', '', '▁')).toBe('the');
  });
});

describe('respelledStrings', () => {
  it('has an entry for every id, undefined where there is no token', () => {
    const tokens = ['Ġa', undefined, 'b'];
    const vocabulary = { vocabularySize: 3, spaceMark: 'Ġ', tokenString: (id: number) => tokens[id] };
    expect(respelledStrings(vocabulary, '▁')).toEqual(['▁a', undefined, 'b']);
  });
});

describe('packStrings', () => {
  it('counts a character beyond U+FFFF as one', () => {
    const { points, offsets } = packStrings(['a', '', '🐳b', undefined]);
    expect([...offsets]).toEqual([0, 1, 1, 3, 3]);
    expect([...points]).toEqual([0x61, 0x1f433, 0x62]);
  });
});
