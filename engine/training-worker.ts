import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { elementCount } from '../model/graph/shape.ts';
import { arrayIn, type Tensor } from '../model/runtime/tensor.ts';
import type { Transferring } from '../model/runtime/transferring.ts';
import { serveWorker } from '../model/runtime/worker.ts';
import type { EngineOptions } from './engine-options.ts';
import {
  type EngineSnapshot,
  type TensorSnapshot,
  type TrainedTensor,
  transferringSnapshot,
  transferringWeights,
} from './engine-snapshot.ts';
import { type Losses, ModelInTraining } from './model-in-training.ts';
import type { TrainingBatch } from './training-batch.ts';

/** What one optimizer step did. Losses are means over the real tokens of the batch, in nats. */
export interface StepResult {
  /** λ · causalLoss + (1 − λ) · fusionLoss (FuseLLM, equation 5); of what the model wrote itself, as {@link Losses} says. */
  readonly loss: number;
  readonly causalLoss: number;
  readonly fusionLoss: number;
  /** Global L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** False where loss or gradient is NaN or infinite: nothing was changed then. */
  readonly finite: boolean;
  /** Real tokens: positions with a label. */
  readonly tokens: number;
  /** Bytes that went to the device during the step, and came from there; 0 on the CPU. */
  readonly bytesToDevice: number;
  readonly bytesFromDevice: number;
  readonly computeSeconds: number;
  readonly optimizerSeconds: number;
}

let model: ModelInTraining;
let options: EngineOptions;
/** Optimizer steps done. */
let steps = 0;

const methods = {
  /** @returns operators that the processor computes for a device */
  async start(directory: string, engineOptions: EngineOptions): Promise<ReadonlySet<string>> {
    options = engineOptions;
    model = await ModelInTraining.open(directory, options);
    return model.onProcessor;
  },

  /**
   * One step: the gradient, then AdamW on the weights in place, unless loss or gradient is NaN or infinite.
   */
  async step(batch: TrainingBatch, learningRate: number): Promise<StepResult> {
    const started = performance.now();
    const before = { ...model.crossed };
    const { loss, causalLoss, fusionLoss, tokens } = await model.computeGradients(batch);
    const computed = performance.now();

    const gradientNorm = await model.optimizer.norm();
    const finite = Number.isFinite(loss) && Number.isFinite(gradientNorm);
    if (finite) await model.optimizer.step(++steps, learningRate, gradientNorm);
    const { toDevice, fromDevice } = model.crossed;
    return {
      loss,
      causalLoss,
      fusionLoss,
      gradientNorm,
      finite,
      tokens,
      bytesToDevice: toDevice - before.toDevice,
      bytesFromDevice: fromDevice - before.fromDevice,
      computeSeconds: (computed - started) / 1000,
      optimizerSeconds: (performance.now() - computed) / 1000,
    };
  },

  crossEntropies(texts: readonly Int32Array[]): Promise<Float32Array[]> {
    return model.crossEntropies(texts);
  },

  async snapshot(): Promise<Transferring<EngineSnapshot>> {
    const { memory, tensors } = model;
    // Offloaded state is as large as a machine's memory can hold: there is no room for a copy.
    const valuesOf = async (tensor: Tensor) =>
      options.execution.offload ? arrayIn(tensor) : memory.read(tensor);
    const snapshots: TensorSnapshot[] = [];
    for (const { name, shape, weights, firstMoment, secondMoment } of tensors.trained) {
      snapshots.push({
        name,
        shape,
        weights: await valuesOf(weights),
        firstMoment: await valuesOf(firstMoment),
        secondMoment: await valuesOf(secondMoment),
      });
    }
    return transferringSnapshot({ step: steps, tensors: snapshots });
  },

  async weights(): Promise<Transferring<readonly TrainedTensor[]>> {
    const { memory, tensors } = model;
    const copies: TrainedTensor[] = [];
    for (const { name, shape, weights } of tensors.trained)
      copies.push({ name, shape, weights: await memory.read(weights) });
    return transferringWeights(copies);
  },

  async restore(snapshot: EngineSnapshot): Promise<void> {
    const { memory, tensors } = model;
    const saved = new Map(snapshot.tensors.map((tensor) => [tensor.name, tensor]));
    for (const { name, shape, weights, firstMoment, secondMoment } of tensors.trained) {
      const from = saved.get(name);
      if (from?.weights.length !== elementCount(shape)) {
        throw new FuseMeshError(
          'failed_precondition',
          `The checkpoint does not fit the target: weight "${name}" is missing or has another size`,
        );
      }
      await memory.write(weights, from.weights);
      await memory.write(firstMoment, from.firstMoment);
      await memory.write(secondMoment, from.secondMoment);
    }
    steps = snapshot.step;
  },
};

export type TrainingMethods = typeof methods;
serveWorker(methods);
