import { expect, test } from 'vitest';
import { bitsPerByteOfDomains } from './bits-per-byte.ts';

test('sums nats and bytes over the pieces of a domain before it divides', () => {
  const pieces = [
    { domain: 'fiction', content: 'a' },
    { domain: 'manuals', content: 'b' },
    { domain: 'fiction', content: 'c' },
  ];
  const losses = [
    { crossEntropy: 10 * Math.LN2, predictedBytes: 10 },
    { crossEntropy: 4 * Math.LN2, predictedBytes: 2 },
    { crossEntropy: 50 * Math.LN2, predictedBytes: 20 },
  ];
  const byDomain = bitsPerByteOfDomains(pieces, losses);
  expect(byDomain.get('fiction')).toBeCloseTo(2, 12);
  expect(byDomain.get('manuals')).toBeCloseTo(2, 12);
  expect([...byDomain.keys()]).toEqual(['fiction', 'manuals']);
});
