import { expect, it } from 'vitest';
import { fromBfloat16, toBfloat16 } from './bfloat16.ts';

it('gives every bfloat16 back', () => {
  const all = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
  const back = toBfloat16(fromBfloat16(all));
  for (const half of all) {
    const isNumber = (half & 0x7fff) <= 0x7f80;
    if (isNumber ? back[half] !== half : (back[half] & 0x7fff) <= 0x7f80)
      expect.fail(`${half}: ${back[half]}`);
  }
});

it('rounds to the nearest, ties to even', () => {
  const halves = toBfloat16(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, 3.4e38));
  expect([...halves]).toEqual([0x3f80, 0x3f82, 0x3f81, 0x7f80]);
});

it('is the upper half of float32', () => {
  expect([...fromBfloat16(Uint16Array.of(0x3f80, 0xc000, 0x7f80))]).toEqual([1, -2, Infinity]);
});
