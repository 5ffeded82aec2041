import { describe, expect, it } from 'vitest';
import { TokenDistances } from './token-distances.ts';
import type { TokenStrings } from './token-strings.ts';

const vocabulary = (strings: readonly string[], spaceMark: string): TokenStrings => ({
  vocabularySize: strings.length,
  spaceMark,
  tokenString: (id) => strings[id],
});

const target = vocabulary(['▁the', 'cat', '<0xC3>', '▁é', '▁'], '▁');
const source = vocabulary(['Ġthe', 'cart', 'Ã', 'ĠÃ©', 'dog'], 'Ġ');
const distances = new TokenDistances(target, source);

describe('TokenDistances', () => {
  it('gives distances of strings without space marks, and remembers them', () => {
    const costs = distances.between(Int32Array.of(0, 1, 0), Int32Array.of(4, 0, 1));
    expect([...costs.targetKinds, ...costs.sourceKinds]).toEqual([0, 1, 0, 0, 1, 2]);
    expect(costs.workOut(1, 0)).toBe(0);
    expect(costs.workOut(2, 1)).toBe(1);
    expect(costs.workOut(0, 1)).toBe(3);
    expect([...costs.known.subarray(0, 6)]).toEqual([-1, 3, 0, -1, -1, 1]);
  });

  it('knows that a token without its equal on the other side costs something', () => {
    const { sourceFloors, targetFloors } = distances.between(Int32Array.of(0, 1), Int32Array.of(0, 4));
    expect([...sourceFloors, ...targetFloors]).toEqual([0, 1, 0, 1]);
  });

  it('measures text in bytes, however the vocabulary writes them', () => {
    const ids = Int32Array.of(0, 1, 2, 3, 4);
    const { sourceLengths, targetLengths } = distances.between(ids, ids);
    expect([...targetLengths]).toEqual([3, 3, 1, 2, 0]);
    expect([...sourceLengths]).toEqual([3, 4, 1, 2, 3]);
  });
});
