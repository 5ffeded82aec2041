import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BitReader, BitWriter } from './bits.ts';

/** A value in so many bits, or values by Rice's code of a parameter. */
const parts = fc.array(
  fc.oneof(
    fc
      .integer({ min: 0, max: 24 })
      .chain((bits) => fc.record({ bits: fc.constant(bits), value: fc.nat({ max: 2 ** bits - 1 }) })),
    fc.record({
      parameter: fc.integer({ min: 0, max: 23 }),
      values: fc.array(fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 900 })), { maxLength: 20 }),
    }),
    fc.record({
      parameter: fc.integer({ min: 16, max: 23 }),
      values: fc.array(fc.nat({ max: 2 ** 24 - 1 }), { maxLength: 20 }),
    }),
  ),
  { maxLength: 20 },
);

it('gives back what was written, to the last bit', () => {
  fc.assert(
    fc.property(parts, (written) => {
      const writer = new BitWriter(100_000);
      for (const part of written) {
        if ('bits' in part) writer.write(part.value, part.bits);
        else writer.writeRice(Int32Array.from(part.values), part.values.length, part.parameter);
      }
      const reader = new BitReader(writer.finish());
      for (const part of written) {
        if ('bits' in part) {
          expect(reader.read(part.bits)).toBe(part.value);
        } else {
          const values = new Int32Array(part.values.length);
          reader.readRice(values, values.length, part.parameter);
          expect([...values]).toEqual(part.values);
        }
      }
      expect(reader.overrun).toBe(false);
      expect(reader.exhausted).toBe(true);
    }),
  );
});

it('writes 5 by the code of 1 as two zeros, a one and a one', () => {
  const writer = new BitWriter(8);
  writer.writeRice(Int32Array.of(5), 1, 1);
  expect([...writer.finish()]).toEqual([0b1100]);
});

it('tells when more is read than there is, and when a value is too large', () => {
  const beyond = new BitReader(Uint8Array.of(0xff));
  beyond.read(9);
  expect(beyond.overrun).toBe(true);
  const values = new Int32Array(2);
  const endless = new BitReader(new Uint8Array(1_000));
  endless.readRice(values, 2, 23);
  expect(values[0]).toBe(-1);
  expect(endless.overrun).toBe(true);
});
