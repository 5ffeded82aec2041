import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { refuseNonFinite } from '../../model/families/finite-weights.ts';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { openWeights } from '../../model/families/weights.ts';
import type { LoraSettings } from '../../model/lora/lora-settings.ts';
import { emitModel } from '../../model/onnx/emit.ts';
import { type HostTensor, openSession, type Session } from '../../model/runtime/session.ts';
import type { Transferring } from '../../model/runtime/transferring.ts';
import { serveWorker } from '../../model/runtime/worker.ts';
import { type AdamWOptions, adamwStep, globalNorm, type OptimizedTensor } from './adamw.ts';
import { type EngineSnapshot, transferringSnapshot } from './engine-snapshot.ts';
import { emptyTargets, fillTargets, lossParts, type SparseTargets } from './fused-loss.ts';
import { beginning } from './trained-part.ts';
import type { StepResult, TrainingBatch } from './training-batch.ts';
import { type BatchSizes, gradientName, trainingGraph } from './training-graph.ts';

export interface EngineOptions extends BatchSizes, AdamWOptions {
  /** Weight of the causal language modelling loss against the fusion loss, 0 to 1. */
  readonly lambda: number;
  /** Threads of one matrix product. */
  readonly threads: number;
  /** Trains low-rank adapters and leaves the weights as they are; without it, every weight is trained. */
  readonly lora?: LoraSettings | undefined;
}

interface NamedTensor extends OptimizedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Everything the training keeps between steps: ONNX Runtime reads and writes these buffers in place. */
interface TrainingState {
  readonly options: EngineOptions;
  readonly session: Session;
  readonly tensors: readonly NamedTensor[];
  readonly targets: SparseTargets;
  readonly inputIds: Int32Array<ArrayBuffer>;
  readonly logProbabilities: Float32Array<ArrayBuffer>;
  readonly feeds: Readonly<Record<string, HostTensor>>;
  readonly into: Readonly<Record<string, HostTensor>>;
  step: number;
}

let state: TrainingState;

const methods = {
  async start(directory: string, options: EngineOptions): Promise<void> {
    const architecture = await readArchitecture(directory);
    const source = await openWeights(directory, architecture);
    await refuseNonFinite(source, architecture);
    const { rows, length, candidates, lora } = options;
    const { part, initial } = await beginning(architecture, source, lora);
    await source.close();
    if (length > architecture.contextLength) {
      throw new FuseMeshError(
        'invalid_argument',
        `contextLength is ${length}, the model in ${directory} takes ${architecture.contextLength} at most`,
      );
    }
    const session = await openSession(emitModel(trainingGraph(architecture, part, options)), {
      threads: options.threads,
      weightsDirectory: directory,
    });

    const tokens = rows * length;
    const columns = 1 + candidates;
    const inputIds = new Int32Array(tokens);
    const targets = emptyTargets(tokens, candidates);
    const positions = BigInt64Array.from({ length: tokens }, (_, i) => BigInt(i % length));
    const logProbabilities = new Float32Array(tokens * columns);
    const feeds: Record<string, HostTensor> = {
      input_ids: { data: inputIds, shape: [rows, length] },
      position_ids: { data: positions, shape: [rows, length] },
      target_ids: { data: targets.ids, shape: [tokens, columns] },
      target_weights: { data: targets.weights, shape: [tokens, columns] },
      tail_weights: { data: targets.tailWeights, shape: [tokens, 1] },
    };
    const into: Record<string, HostTensor> = {
      log_probabilities: { data: logProbabilities, shape: [tokens, columns] },
    };
    const tensors = [...initial].map(([name, weights]): NamedTensor => {
      const shape = part.shapes.get(name)!;
      const gradient = new Float32Array(weights.length);
      feeds[name] = { data: weights, shape };
      into[gradientName(name)] = { data: gradient, shape };
      return {
        name,
        shape,
        weights,
        gradient,
        firstMoment: new Float32Array(weights.length),
        secondMoment: new Float32Array(weights.length),
        decays: shape.length > 1,
      };
    });
    state = { options, session, tensors, targets, inputIds, logProbabilities, feeds, into, step: 0 };
  },

  /** One step: forward and backward in ONNX Runtime, then AdamW on the weights in place, where all is finite. */
  async step(batch: TrainingBatch, learningRate: number): Promise<StepResult> {
    const { options, session, tensors, targets, inputIds, logProbabilities } = state;
    const started = performance.now();
    inputIds.set(batch.inputIds);
    const tokens = fillTargets(targets, batch, options.lambda);
    await session.run(state.feeds, state.into);
    const computed = performance.now();

    const { causalLoss, fusionLoss } = lossParts(logProbabilities, batch, tokens);
    const loss = options.lambda * causalLoss + (1 - options.lambda) * fusionLoss;
    const gradientNorm = globalNorm(tensors);
    const finite = Number.isFinite(loss) && Number.isFinite(gradientNorm);
    if (finite) adamwStep(tensors, ++state.step, gradientNorm, learningRate, options);
    return {
      finite,
      loss,
      causalLoss,
      fusionLoss,
      gradientNorm,
      tokens,
      computeSeconds: (computed - started) / 1000,
      optimizerSeconds: (performance.now() - computed) / 1000,
    };
  },

  snapshot(): Transferring<EngineSnapshot> {
    return transferringSnapshot({
      step: state.step,
      tensors: state.tensors.map(({ name, shape, weights, firstMoment, secondMoment }) => ({
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
    for (const tensor of state.tensors) {
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
    state.step = snapshot.step;
  },
};

export type TrainingMethods = typeof methods;
serveWorker(methods);
