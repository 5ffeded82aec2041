import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { Transferring } from '../model/runtime/transferring.ts';
import { serveWorker } from '../model/runtime/worker.ts';
import { adamwStep, globalNorm } from './adamw.ts';
import type { EngineOptions } from './engine-options.ts';
import { type EngineSnapshot, transferringSnapshot } from './engine-snapshot.ts';
import { ModelInTraining } from './model-in-training.ts';
import type { TrainingBatch } from './training-batch.ts';

/** What one optimizer step did. Losses are means over the real tokens of the batch, in nats. */
export interface StepResult {
  /** λ · causalLoss + (1 − λ) · fusionLoss (FuseLLM, equation 5). */
  readonly loss: number;
  readonly causalLoss: number;
  readonly fusionLoss: number;
  /** Global L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** False where loss or gradient is NaN or infinite: nothing was changed then. */
  readonly finite: boolean;
  /** Real tokens: positions with a label. */
  readonly tokens: number;
  readonly computeSeconds: number;
  readonly optimizerSeconds: number;
}

let model: ModelInTraining;
let options: EngineOptions;
/** Optimizer steps done. */
let steps = 0;

const methods = {
  async start(directory: string, engineOptions: EngineOptions): Promise<void> {
    options = engineOptions;
    model = await ModelInTraining.open(directory, options);
  },

  /**
   * One step: the gradient, then AdamW on the weights in place, unless loss or gradient is NaN or infinite.
   */
  async step(batch: TrainingBatch, learningRate: number): Promise<StepResult> {
    const started = performance.now();
    const { loss, causalLoss, fusionLoss, tokens } = await model.computeGradients(batch);
    const computed = performance.now();

    const { trained } = model.tensors;
    const gradientNorm = globalNorm(trained);
    const finite = Number.isFinite(loss) && Number.isFinite(gradientNorm);
    if (finite) adamwStep(trained, ++steps, learningRate, options, gradientNorm);
    return {
      loss,
      causalLoss,
      fusionLoss,
      gradientNorm,
      finite,
      tokens,
      computeSeconds: (computed - started) / 1000,
      optimizerSeconds: (performance.now() - computed) / 1000,
    };
  },

  crossEntropies(texts: readonly Int32Array[]): Promise<number[]> {
    return model.crossEntropies(texts);
  },

  snapshot(): Transferring<EngineSnapshot> {
    return transferringSnapshot({
      step: steps,
      tensors: model.tensors.trained.map(({ name, shape, weights, firstMoment, secondMoment }) => ({
        name,
        shape,
        weights: weights.slice(),
        firstMoment: firstMoment.slice(),
        secondMoment: secondMoment.slice(),
      })),
    });
  },

  restore(snapshot: EngineSnapshot): void {
    const saved = new Map(snapshot.tensors.map((tensor) => [tensor.name, tensor]));
    for (const tensor of model.tensors.trained) {
      const from = saved.get(tensor.name);
      if (from?.weights.length !== tensor.weights.length) {
        throw new FuseMeshError(
          'failed_precondition',
          `The checkpoint does not fit the target: weight "${tensor.name}" is missing or has another size`,
        );
      }
      tensor.weights.set(from.weights);
      tensor.firstMoment.set(from.firstMoment);
      tensor.secondMoment.set(from.secondMoment);
    }
    steps = snapshot.step;
  },
};

export type TrainingMethods = typeof methods;
serveWorker(methods);
