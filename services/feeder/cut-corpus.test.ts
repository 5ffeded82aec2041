import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mixDomains } from './cut-corpus.ts';

const pieces = (domain: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({ domain, text: `${domain} ${i}` }));

test('every stretch of mixed pieces has each domain in proportion, in its order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (sea, manual) => {
      const mixed = mixDomains([...pieces('sea', sea), ...pieces('manual', manual)]);
      expect(mixed.filter(({ domain }) => domain === 'sea')).toEqual(pieces('sea', sea));
      expect(mixed.filter(({ domain }) => domain === 'manual')).toEqual(pieces('manual', manual));
      const half = mixed.slice(0, mixed.length / 2).filter(({ domain }) => domain === 'sea');
      expect(Math.abs(half.length - sea / 2)).toBeLessThanOrEqual(1);
    }),
  );
});
