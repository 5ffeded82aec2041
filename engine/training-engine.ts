import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { type Remote, startWorker } from '../model/runtime/worker.ts';
import type { EngineOptions } from './engine-options.ts';
import type { EngineSnapshot, TrainedTensor } from './engine-snapshot.ts';
import type { TrainingBatch } from './training-batch.ts';
import type { StepResult, TrainingMethods } from './training-worker.ts';

/**
 * Trains one model, on the CPU or on a device, in a worker thread. Deterministic: the same weights and batches give the same weights to the bit.
 */
export class TrainingEngine {
  /** Operators that the processor computes for a device, by their names in ONNX. */
  readonly onProcessor: ReadonlySet<string>;
  readonly #options: EngineOptions;
  readonly #worker: { readonly remote: Remote<TrainingMethods>; stop(): Promise<void> };

  private constructor(
    options: EngineOptions,
    onProcessor: ReadonlySet<string>,
    worker: { readonly remote: Remote<TrainingMethods>; stop(): Promise<void> },
  ) {
    this.onProcessor = onProcessor;
    this.#options = options;
    this.#worker = worker;
  }

  /**
   * @param directory Hugging Face directory of the model to train; it is only read
   * @throws FuseMeshError not_found or invalid_argument when the model or its length does not fit
   */
  static async start(directory: string, options: EngineOptions): Promise<TrainingEngine> {
    const worker = startWorker<TrainingMethods>(new URL('./training-worker.ts', import.meta.url));
    try {
      const onProcessor = await worker.remote.start(directory, options);
      return new TrainingEngine(options, onProcessor, worker);
    } catch (error) {
      await worker.stop();
      throw error;
    }
  }

  /**
   * One optimizer step.
   *
   * @throws FuseMeshError invalid_argument when the batch does not fit the engine's sizes
   */
  async step(batch: TrainingBatch, learningRate: number): Promise<StepResult> {
    const { contextLength, candidates } = this.#options;
    const longest = Math.max(...batch.lengths);
    if (longest > contextLength || batch.candidates !== candidates) {
      throw new FuseMeshError(
        'invalid_argument',
        `The batch has documents of up to ${longest} tokens with ${batch.candidates} candidates; the engine takes ${contextLength} with ${candidates}`,
      );
    }
    return this.#worker.remote.step(batch, learningRate);
  }

  /**
   * Scores texts with the model as it is now.
   *
   * @param texts token ids of each, contextLength at most
   * @returns [texts][n] cross-entropy of each token after those before it, in nats; 0 for the first
   */
  crossEntropies(texts: readonly Int32Array[]): Promise<Float32Array[]> {
    return this.#worker.remote.crossEntropies(texts);
  }

  /**
   * A copy of weights and optimizer state; of offloaded ones, themselves ({@link sharesMemory}), which the next step
   * changes.
   */
  snapshot(): Promise<EngineSnapshot> {
    return this.#worker.remote.snapshot();
  }

  /** A copy of what is trained, without the optimizer's state: a quarter of the bytes of a step's state. */
  weights(): Promise<readonly TrainedTensor[]> {
    return this.#worker.remote.weights();
  }

  /** @throws FuseMeshError failed_precondition when the snapshot is of another model */
  restore(snapshot: EngineSnapshot): Promise<void> {
    return this.#worker.remote.restore(snapshot);
  }

  close(): Promise<void> {
    return this.#worker.stop();
  }
}
