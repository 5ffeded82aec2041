import { expect, test } from 'vitest';
import { fromQ8_0 } from './q8-0.ts';

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
