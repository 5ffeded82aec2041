import { describe, expect, test } from 'vitest';
import { fromQ4_1, fromQ8_0 } from './ggml-blocks.ts';

describe('Q4_1', () => {
  test('a block is scale, minimum, and two numbers a byte', () => {
    const numbers = Array.from({ length: 16 }, (_, j) => j | ((15 - j) << 4));
    // 0x3800 is 0.5, 0xc000 is -2.
    const values = fromQ4_1(Uint8Array.of(0x00, 0x38, 0x00, 0xc0, ...numbers));
    expect([...values]).toEqual([
      ...Array.from({ length: 16 }, (_, j) => 0.5 * j - 2),
      ...Array.from({ length: 16 }, (_, j) => 0.5 * (15 - j) - 2),
    ]);
  });

  test('each block has its own scale and minimum', () => {
    const block = (scale: number, minimum: number) => [0, scale, 0, minimum, ...Array<number>(16).fill(0xff)];
    const values = fromQ4_1(Uint8Array.of(...block(0x3c, 0x00), ...block(0x00, 0x40)));
    expect([...values]).toEqual([...Array<number>(32).fill(15), ...Array<number>(32).fill(2)]);
  });

  test('a value is rounded once, to float32', () => {
    // 0x0001 is 2^-24, 0x7bff is 65504: their sum takes more bits than a float32 has.
    const values = fromQ4_1(Uint8Array.of(0x01, 0x00, 0xff, 0x7b, ...Array<number>(16).fill(0x1f)));
    expect(values[0]).toBe(Math.fround(65504 + 15 * 2 ** -24));
    expect(values[16]).toBe(Math.fround(65504 + 2 ** -24));
  });
});

describe('Q8_0', () => {
  test('a block is a scale and signed bytes', () => {
    const numbers = Array.from({ length: 32 }, (_, j) => (j - 16) * 8);
    // 0x3400 is 0.25.
    const values = fromQ8_0(Uint8Array.of(0x00, 0x34, ...numbers));
    expect([...values]).toEqual(numbers.map((number) => number / 4));
  });

  test('each block has its own scale, wherever the bytes lie', () => {
    const block = (scale: number) => [0, scale, ...Array<number>(32).fill(0xff)];
    const bytes = Uint8Array.of(99, ...block(0x3c), ...block(0x40)).subarray(1);
    expect([...fromQ8_0(bytes)]).toEqual([...Array<number>(32).fill(-1), ...Array<number>(32).fill(-2)]);
  });
});
