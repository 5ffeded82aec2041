import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changedGguf, ggufBytes } from '../../test/support/gguf.ts';
import { type GgufValue, HeaderGoesOn, parseHeader } from './header.ts';

const leaf = fc.oneof(
  fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
  fc.boolean(),
  fc.string({ unit: 'grapheme' }),
);
const value: fc.Arbitrary<GgufValue> = fc.oneof(
  leaf,
  fc.array(fc.string({ unit: 'grapheme' })),
  fc.array(fc.integer()),
  fc.array(fc.array(fc.boolean(), { minLength: 1 })),
);

test('any head comes back as it was written, and no piece of it is taken for a whole', () => {
  const tensor = fc.record({
    name: fc.string(),
    shape: fc.array(fc.nat(), { maxLength: 4 }),
    type: fc.nat(40),
    offset: fc.nat(),
  });
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string().filter((key) => key !== 'general.alignment' && key !== '__proto__'),
        value,
      ),
      fc.array(tensor, { maxLength: 5 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (entries, tensors, cut) => {
        const metadata = new Map(Object.entries(entries));
        const bytes = ggufBytes({ metadata, tensors }, new Uint8Array());
        const head = parseHeader(bytes);
        expect(head).toEqual({ metadata, tensors, dataBegins: bytes.length });
        // The last bytes only pad it.
        const piece = bytes.subarray(0, Math.floor(cut * (bytes.length - 31)));
        expect(() => parseHeader(piece)).toThrow(HeaderGoesOn);
      },
    ),
    { numRuns: 200 },
  );
});

test.each([
  [0, 'GGML', 'does not begin with GGUF'],
  [4, '\x01\0\0\0', 'version 1'],
  // Big-endian.
  [4, '\0\0\0\x03', 'version 50331648'],
])('at byte %i: %j is refused', async (at, bytes, reason) => {
  const file = await changedGguf('qwen3.gguf', () => ({}));
  file.write(bytes, at, 'latin1');
  expect(() => parseHeader(file)).toThrow(reason);
});
