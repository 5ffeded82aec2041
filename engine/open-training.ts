import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { Architecture } from '../model/families/architecture.ts';
import { partsOfAttention } from '../model/families/attention-scope.ts';
import { refuseNonFinite } from '../model/families/finite-weights.ts';
import { readTrainable } from '../model/families/read-architecture.ts';
import { openWeights } from '../model/families/weights.ts';
import { type Memory, openMemory, processMemory, sharedMemory } from '../model/runtime/memory.ts';
import type { BytesCrossed } from '../model/runtime/session.ts';
import { largestSizes } from './activations.ts';
import { BlockWeights } from './block-weights.ts';
import type { EngineOptions } from './engine-options.ts';
import { tensorOfBlock } from './graphs/block-graph.ts';
import { trainingGraphs } from './graphs/training-graphs.ts';
import { MaskOnDevice } from './mask-on-device.ts';
import { deviceOptimizer, hostOptimizer, type Optimizer } from './optimizer.ts';
import { initialValues, trainedPart } from './trained-part.ts';
import { openTrainingSessions, type TrainingSessions } from './training-sessions.ts';
import { type BoundTensors, TrainingTensors } from './training-tensors.ts';

/** What a model in training is made of, where it is computed. */
export interface OpenedTraining {
  readonly architecture: Architecture;
  readonly tensors: TrainingTensors;
  /** Of the tensors: this process's where they are offloaded. */
  readonly memory: Memory;
  readonly activationMemory: Memory;
  readonly sessions: TrainingSessions;
  /** The tensors of the embeddings, of each block and of the head. */
  readonly bound: {
    readonly embeddings: BoundTensors;
    readonly blocks: readonly BoundTensors[];
    readonly head: BoundTensors;
  };
  /** Undefined where they stay where they are computed. */
  readonly blockWeights: BlockWeights | undefined;
  readonly optimizer: Optimizer;
  /** Undefined where masks are made in this process's memory, or attention is computed in parts. */
  readonly mask: MaskOnDevice | undefined;
  readonly crossed: Readonly<BytesCrossed>;
}

/** @throws FuseMeshError not_found, invalid_argument or data_loss when the model or its length does not fit */
export async function openTraining(directory: string, options: EngineOptions): Promise<OpenedTraining> {
  const architecture = await readTrainable(directory);
  if (options.contextLength > architecture.contextLength) {
    throw new FuseMeshError(
      'invalid_argument',
      `contextLength is ${options.contextLength}, the model in ${directory} takes ${architecture.contextLength} at most`,
    );
  }
  const source = await openWeights(directory, architecture);
  await refuseNonFinite(source, architecture);
  const part = trainedPart(architecture, options.lora);
  const initial = await initialValues(architecture, source, options.lora);
  await source.close();

  const { provider, device, offload } = options.execution;
  const crossed = { toDevice: 0, fromDevice: 0 };
  const sessionOptions = { threads: options.threads, provider, device, crossed };
  const activationMemory = await openMemory(sessionOptions);
  const memory = offload ? sharedMemory : activationMemory;
  const tensors = await TrainingTensors.place(memory, part, initial);

  const onDevice = activationMemory !== processMemory;
  const parts = partsOfAttention(options.contextLength, { onDevice });
  const graphs = trainingGraphs(architecture, part, { ...options, parts });
  const sessions = await openTrainingSessions(graphs, options, crossed);
  const { embeddings, kinds, kindOfBlock, head } = graphs;
  const bound = {
    embeddings: tensors.bind(embeddings),
    blocks: kindOfBlock.map((kind, index) =>
      tensors.bind(kinds[kind], (input) => tensorOfBlock(architecture, index, input)),
    ),
    head: tensors.bind(head),
  };
  const { precision } = options.execution;
  const offloaded = kindOfBlock.map((kind, index) => {
    const { factors, gradients } = kinds[kind];
    return { weights: bound.blocks[index].weights, factors, trained: new Set(gradients.keys()) };
  });
  const blockWeights = offload
    ? await BlockWeights.open(activationMemory, offloaded, { ...options, precision })
    : undefined;
  const optimizer =
    offload || !onDevice
      ? hostOptimizer(tensors.trained, options)
      : await deviceOptimizer(tensors.trained, options, memory, sessionOptions);
  const needsMask = onDevice && parts === undefined;
  const mask = needsMask
    ? await MaskOnDevice.open(activationMemory, largestSizes(options), sessionOptions)
    : undefined;
  return {
    architecture,
    tensors,
    memory,
    activationMemory,
    sessions,
    bound,
    blockWeights,
    optimizer,
    mask,
    crossed,
  };
}
