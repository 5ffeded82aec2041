import { type Transferring, transferring } from '../model/runtime/transferring.ts';

/** All that a training needs to resume, bit for bit: weights and optimizer state after a number of steps. */
export interface EngineSnapshot {
  /** Optimizer steps done, without those that were skipped. */
  readonly step: number;
  readonly tensors: readonly TensorSnapshot[];
}

/** One tensor that is trained, row by row. */
export interface TrainedTensor {
  /** As in the Hugging Face file. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly weights: Float32Array<ArrayBuffer>;
}

/** One weight tensor and AdamW's two moments of it. */
export interface TensorSnapshot extends TrainedTensor {
  readonly firstMoment: Float32Array<ArrayBuffer>;
  readonly secondMoment: Float32Array<ArrayBuffer>;
}

/**
 * Transfers a snapshot to another thread; it is empty on this side afterwards, unless its memory is shared by all
 * threads.
 */
export const transferringSnapshot = (snapshot: EngineSnapshot): Transferring<EngineSnapshot> =>
  transferring(snapshot, sharesMemory(snapshot) ? [] : buffersOf(snapshot));

/** Whether a snapshot is no copy, but the memory that is trained on. */
export const sharesMemory = (snapshot: EngineSnapshot): boolean =>
  buffersOf(snapshot).some((buffer: ArrayBufferLike) => buffer instanceof SharedArrayBuffer);

/** Transfers weights to another thread; they are empty on this side afterwards. */
export const transferringWeights = (
  tensors: readonly TrainedTensor[],
): Transferring<readonly TrainedTensor[]> =>
  transferring(
    tensors,
    tensors.map(({ weights }) => weights.buffer),
  );

const buffersOf = ({ tensors }: EngineSnapshot): ArrayBuffer[] =>
  tensors.flatMap(({ weights, firstMoment, secondMoment }) => [
    weights.buffer,
    firstMoment.buffer,
    secondMoment.buffer,
  ]);

export const weightsByName = (tensors: readonly TensorSnapshot[]): ReadonlyMap<string, Float32Array> =>
  new Map(tensors.map(({ name, weights }) => [name, weights]));
