/** A value on its way to another thread, with the buffers to transfer instead of copying. */
export class Transferring<T> {
  readonly value: T;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: T, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

/**
 * Marks an argument or result of a worker's method: `buffers` are transferred and are empty on this side
 * afterwards.
 */
export const transferring = <T>(value: T, buffers: readonly ArrayBuffer[]): Transferring<T> =>
  new Transferring(value, buffers);

/** A value as the other side gets it. */
export type Received<T> = T extends Transferring<infer Value> ? Value : T;

/** Removes the marks and collects the buffers to transfer. */
export function unmarked(values: readonly unknown[]): { values: unknown[]; buffers: ArrayBuffer[] } {
  return {
    values: values.map((value) => (value instanceof Transferring ? value.value : value)),
    buffers: values.flatMap((value) => (value instanceof Transferring ? value.buffers : [])),
  };
}
