import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toBytes, toCodeUnits } from './code-units.ts';

test('edges inside of a character move outwards', () => {
  // "a🐳b" is 1 + 4 + 1 bytes, and 1 + 2 + 1 code units.
  const spans = { starts: Int32Array.of(0, 1, 2, 5), ends: Int32Array.of(1, 2, 5, 6) };
  const { starts, ends } = toCodeUnits('a🐳b', spans);
  expect([[...starts], [...ends]]).toEqual([
    [0, 1, 1, 3],
    [1, 3, 3, 4],
  ]);
});

test('an empty span stays empty', () => {
  const { starts, ends } = toCodeUnits('éa', { starts: Int32Array.of(0, 2), ends: Int32Array.of(0, 2) });
  expect([[...starts], [...ends]]).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

test('edges between characters come back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3 })), (parts) => {
      const text = parts.join('');
      let end = 0;
      const ends = Int32Array.from(parts, (part) => {
        end += part.length;
        return end;
      });
      const starts = Int32Array.of(...(parts.length > 0 ? [0] : []), ...ends.slice(0, -1));
      expect(toCodeUnits(text, toBytes(text, { starts, ends }))).toEqual({ starts, ends });
    }),
  );
});
