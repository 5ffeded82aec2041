import type { Spans } from './spans-from-bytes.ts';

/**
 * Spans for whoever cuts JavaScript's strings: in UTF-16 code units. An edge inside of a character moves outwards to the
 * character's.
 *
 * @param spans in UTF-8 bytes of the text
 */
export function toCodeUnits(text: string, { starts, ends }: Spans): Spans {
  const bytes = Buffer.from(text);
  if (bytes.length === text.length) return { starts, ends };
  const unitFrom = new Int32Array(bytes.length + 1);
  const unitTo = new Int32Array(bytes.length + 1);
  let unit = 0;
  for (let byte = 0; byte < bytes.length; ) {
    const lead = bytes[byte];
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const next = unit + (length === 4 ? 2 : 1);
    unitFrom.fill(unit, byte, byte + length);
    unitTo.fill(next, byte + 1, byte + length + 1);
    byte += length;
    unit = next;
  }
  unitFrom[bytes.length] = unit;
  return {
    starts: starts.map((start) => unitFrom[start]),
    // An empty span between two characters must not widen into either.
    ends: ends.map((end, i) => (starts[i] === end ? unitFrom[end] : unitTo[end])),
  };
}

/**
 * The reverse, for edges that lie between characters.
 *
 * @param spans in UTF-16 code units of the text
 */
export function toBytes(text: string, { starts, ends }: Spans): Spans {
  const byteOf = new Int32Array(text.length + 1);
  let byte = 0;
  let unit = 0;
  for (const character of text) {
    byteOf.fill(byte, unit, unit + character.length);
    unit += character.length;
    byte += Buffer.byteLength(character);
  }
  byteOf[unit] = byte;
  return { starts: starts.map((start) => byteOf[start]), ends: ends.map((end) => byteOf[end]) };
}
