import { type TrainedTensor, transferringWeights } from '../../engine/engine-snapshot.ts';
import { startWorker } from '../../model/runtime/worker.ts';
import type { WeightsObject } from '../../wire/nats/weights.ts';
import type { WeightsMethods, WeightsThreadOptions } from './weights-worker.ts';

/** Publishes weights in a thread of its own, with a connection of its own: gRPC and NATS of the trainer do not wait. */
export interface WeightsThread {
  /**
   * The tensors are handed over and are empty on this side afterwards.
   *
   * @throws FuseMeshError unavailable while NATS is away
   */
  publish(step: number, tensors: readonly TrainedTensor[]): Promise<WeightsObject>;
  /** Whether they are still there, all of them. */
  has(object: WeightsObject): Promise<boolean>;
  /** What is being published stays unfinished, and is not seen by anybody. */
  stop(): Promise<void>;
}

export async function startWeightsThread(options: WeightsThreadOptions): Promise<WeightsThread> {
  const { remote, stop } = startWorker<WeightsMethods>(new URL('./weights-worker.ts', import.meta.url));
  try {
    await remote.start(options);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    publish: (step, tensors) => remote.publish(step, transferringWeights(tensors)),
    has: (object) => remote.has(object),
    stop,
  };
}
