import { type TrainedTensor, transferringWeights } from '../../engine/engine-snapshot.ts';
import type { LoraSettings } from '../../model/lora/lora-settings.ts';
import { startWorker } from '../../model/runtime/worker.ts';
import type { NatsSettings } from '../../wire/nats/login.ts';
import type { WeightsObject } from '../../wire/nats/weights.ts';
import type { WeightsMethods } from './weights-worker.ts';

/** Whose weights are published, and where. */
export interface WeightsThreadOptions {
  readonly run: string;
  readonly where: NatsSettings;
  /** Servers of a cluster that hold the weights. */
  readonly replicas: number;
  /** Hugging Face directory of the model that is trained. */
  readonly model: string;
  /** What the trained tensors are adapters of; undefined where they are the model's weights. */
  readonly adapter: LoraSettings | undefined;
}

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
