import type { ElementType } from './tensor-type.ts';

/** A value of ours, or the name of one that the writer has made. */
export type Named = string | { readonly name: string };

/** An attribute of an ONNX node: a bare number is an integer, a float says so. */
export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly elementType: ElementType };

/**
 * The ONNX nodes that one node of ours becomes, in the order in which they run. An operator writes itself through
 * this, so that all of it stands in one record, and protobuf stays in model/onnx.
 */
export interface OnnxWriter {
  /**
   * Applies an operator of ONNX.
   *
   * @param outputs a name of its own where left out
   * @returns the name of the first output
   */
  add(
    opType: string,
    inputs: readonly Named[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    outputs?: Named | readonly Named[],
    domain?: string,
  ): string;
  /** A float32 scalar. */
  float(value: number): string;
  /** An int64 tensor of rank 1. */
  int64s(values: readonly number[]): string;
  /**
   * Runs nodes several times, one after the other; what a turn computes is freed with it. They may read values
   * from outside.
   *
   * @param times int64 scalar
   * @param first float32 values that go into the first turn; `carried` of each go into the next
   * @param outputs names of the results, of their own where left out
   * @returns `carried` of the last turn, then `collected` of all turns, float32, joined along a new first axis
   */
  loop(times: Named, first: readonly Named[], turn: Turn, outputs?: readonly Named[]): readonly string[];
}

/**
 * One turn of a loop.
 *
 * @param number of the turn, from 0: int64 scalar
 */
export type Turn = (
  onnx: OnnxWriter,
  number: string,
  carried: readonly string[],
) => { readonly carried: readonly string[]; readonly collected: readonly string[] };

/** Domain of ONNX Runtime's own operators. */
export const microsoft = 'com.microsoft';
