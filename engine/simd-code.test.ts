import { describe, expect, it } from 'vitest';
import {
  add,
  type Code,
  div,
  forEachFour,
  get,
  load,
  mul,
  set,
  simdProgram,
  splat,
  sqrt,
  store,
  sub,
} from './simd-code.ts';

/** 100 kB apart, so that sizes and offsets take several bytes and the memory several pages. */
const second = 100_000;
const [address, scalar, vector] = [0, 2, 3];

/** Values behind `run` of first[i] = f(first[i], second[i]), with 3 as the scalar. */
function computed(f: (x: Code, y: Code) => Code, bytes: number): number[] {
  const body = forEachFour(store(address, 0, f(load(address, 0), load(address, second))));
  const { memory, run } = simdProgram(2 * second, 1, 1, [...set(vector, splat(get(scalar))), ...body]);
  const [x, y] = [new Float32Array(memory, 0, 12), new Float32Array(memory, second, 12)];
  x.set(x.map((_, i) => i + 1));
  y.set(y.map((_, i) => 10 * (i + 1)));
  run(0, bytes, 3);
  return [...x];
}

const upTo12 = Array.from({ length: 12 }, (_, i) => i + 1);

describe('simdProgram', () => {
  it.each<[string, (x: Code, y: Code) => Code, (x: number, y: number) => number]>([
    ['add', add, (x, y) => x + y],
    ['sub', sub, (x, y) => x - y],
    ['mul', mul, (x, y) => x * y],
    ['div', (x, y) => div(y, x), (x, y) => y / x],
    ['sqrt', sqrt, (x) => Math.sqrt(x)],
    ['a scalar', (x) => mul(x, get(vector)), (x) => 3 * x],
  ])('computes in float32: %s', (_, code, right) => {
    expect(computed(code, 48)).toEqual(upTo12.map((x) => Math.fround(right(x, 10 * x))));
  });

  it('goes on by four while the bytes are not done', () => {
    expect(computed(add, 20)).toEqual(upTo12.map((x) => (x <= 8 ? 11 * x : x)));
  });
});
