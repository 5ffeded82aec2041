/**
 * As much of WebAssembly's binary format as a loop over float32 arrays needs, four values at a time.
 * Source: WebAssembly Core Specification 2.0, chapter 5; its names are the ones here.
 */

/** Instructions; an expression's leave one value on the stack. */
export type Code = readonly number[];

/** Unsigned LEB128. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const name = (text: string): Code => vector([...text].map((letter) => [letter.charCodeAt(0)]));

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
/** Aligned to 2⁴ bytes; the address is the local's value and a constant. */
const place = (offset: number): Code => [4, ...unsigned(offset)];
const binary = (opcode: number) => (left: Code, right: Code) => [...left, ...right, ...simd(opcode)];

export const get = (local: number): Code => [0x20, local];
export const set = (local: number, value: Code): Code => [...value, 0x21, local];
export const load = (address: number, offset: number): Code => [
  ...get(address),
  ...simd(0x00),
  ...place(offset),
];
export const store = (address: number, offset: number, value: Code): Code => [
  ...get(address),
  ...value,
  ...simd(0x0b),
  ...place(offset),
];
/** One float32 in all four lanes. */
export const splat = (value: Code): Code => [...value, ...simd(0x13)];
export const sqrt = (value: Code): Code => [...value, ...simd(0xe3)];
export const add = binary(0xe4);
export const sub = binary(0xe5);
export const mul = binary(0xe6);
export const div = binary(0xe7);

/** `body` for local 0 = 0, 16, 32, …, below the bytes in local 1; once at least. */
export const forEachFour = (body: Code): Code => {
  const next = [...get(0), 0x41, 16, 0x6a, 0x22, 0];
  const isBelow = [...get(1), 0x49];
  return [0x03, 0x40, ...body, ...next, ...isBelow, 0x0d, 0, 0x0b];
};

/** A program that runs on a memory of its own. */
export interface SimdProgram {
  readonly memory: ArrayBuffer;
  run(from: 0, bytes: number, ...scalars: number[]): void;
}

/** Of lib.dom, which a program for Node does not take as a whole. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly run: SimdProgram['run'];
    };
  };
};

/**
 * @param scalars how many float32 parameters `run` has: locals 2, 3, …
 * @param vectors locals of four float32 each, behind the scalars
 */
export function simdProgram(memoryBytes: number, scalars: number, vectors: number, body: Code): SimdProgram {
  const [int32, float32, vector128] = [0x7f, 0x7d, 0x7b];
  const parameters = vector([[int32], [int32], ...Array<Code>(scalars).fill([float32])]);
  const code = [...vector([[...unsigned(vectors), vector128]]), ...body, 0x0b];
  const pages = Math.ceil(memoryBytes / 65536);
  const bytes = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, ...parameters, 0]])),
    ...section(3, vector([[0]])),
    ...section(5, vector([[0, ...unsigned(pages)]])),
    ...section(
      7,
      vector([
        [...name('memory'), 2, 0],
        [...name('run'), 0, 0],
      ]),
    ),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
  const { memory, run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  return { memory: memory.buffer, run };
}
