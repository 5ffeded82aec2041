/** All that a training needs to go on, bit for bit: weights and optimizer state after a number of steps. */
export interface EngineSnapshot {
  /** Optimizer steps done. */
  readonly step: number;
  readonly tensors: readonly TensorSnapshot[];
}

/** One weight tensor, row by row, and AdamW's two moments of it. */
export interface TensorSnapshot {
  /** As in the Hugging Face file. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly weights: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

export const weightsByName = (tensors: readonly TensorSnapshot[]): ReadonlyMap<string, Float32Array> =>
  new Map(tensors.map(({ name, weights }) => [name, weights]));
