/** A value on its way to another thread, with the buffers that go over instead of being copied. */
export class Transferring<T> {
  readonly value: T;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: T, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

/**
 * Marks what a call of a worker thread takes or returns: `buffers` are handed over and are empty on this side
 * afterwards.
 */
export const transferring = <T>(value: T, buffers: readonly ArrayBuffer[]): Transferring<T> =>
  new Transferring(value, buffers);

/** A value as the other side gets it. */
export type Received<T> = T extends Transferring<infer Value> ? Value : T;

/** Takes the marks off, and says what is to be transferred. */
export function unmarked(values: readonly unknown[]): { values: unknown[]; buffers: ArrayBuffer[] } {
  return {
    values: values.map((value) => (value instanceof Transferring ? value.value : value)),
    buffers: values.flatMap((value) => (value instanceof Transferring ? value.buffers : [])),
  };
}
