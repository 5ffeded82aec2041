import type { Architecture } from '../model/families/architecture.ts';
import { partsOfAttention } from '../model/families/attention-scope.ts';
import { readTrainable } from '../model/families/read-architecture.ts';
import { parameterCount } from '../model/families/weight-shapes.ts';
import type { Value } from '../model/graph/graph.ts';
import { reachable } from '../model/graph/reachable.ts';
import { elementCount } from '../model/graph/shape.ts';
import { bytesOf, temporaryBytes } from '../model/graph/temporary-bytes.ts';
import { bytesPerElement } from '../model/graph/tensor-type.ts';
import { largestSizes } from './activations.ts';
import type { EngineOptions } from './engine-options.ts';
import { tensorOfBlock } from './graphs/block-graph.ts';
import { headResults, rowsOfHead } from './graphs/head-graph.ts';
import { resultsOf } from './graphs/segment.ts';
import { type TrainingGraphs, trainingGraphs } from './graphs/training-graphs.ts';
import { type TrainedPart, trainedPart } from './trained-part.ts';

/** What a training takes of one memory at its peak, in bytes. */
export interface MemoryNeed {
  /**
   * Weights, gradients and both moments of what is trained, 16 bytes a parameter; 4 of what is only read. Offloaded
   * ones of blocks take 2 more where products are computed in 16 bits.
   */
  readonly state: number;
  /** What the backward pass reads, of all blocks or of one, and the hidden states between blocks. */
  readonly activations: number;
  /**
   * Temporaries of all parts of the model together: memory that one part frees does not always fit the next.
   */
  readonly temporaries: number;
  /** Node, ONNX Runtime and the program itself; on a device, its driver's libraries. */
  readonly program: number;
  readonly total: number;
}

/** Peak memory of a training. */
export interface MemoryEstimate {
  /** In this process's memory. */
  readonly host: MemoryNeed;
  /** In the device's; undefined where the CPU computes. */
  readonly device: MemoryNeed | undefined;
}

/** Measured; it does not depend on the model. */
const programBytes = 250e6;

/** Context and workspaces of CUDA: not measured, for want of a GPU. */
const deviceProgramBytes = 600e6;

const bytesPerValue = 4;

/**
 * {@link MemoryEstimate} of the model in a directory, for as many tokens at once as there is room for, before
 * anything of it is loaded but its config.json.
 *
 * @throws FuseMeshError as {@link readTrainable}
 */
export async function estimateMemoryOf(directory: string, options: EngineOptions): Promise<MemoryEstimate> {
  const architecture = await readTrainable(directory);
  const part = trainedPart(architecture, options.lora);
  const { provider, activations: keptType = 'float32', offload = false } = options.execution;
  const onDevice = provider !== 'cpu';
  const parts = partsOfAttention(options.contextLength, { onDevice });
  const graphs = trainingGraphs(architecture, part, { ...options, parts });
  const largest = largestSizes(options);
  const [trained, frozen] = [part.shapes, part.frozen].map(parameterCount);
  const state = bytesPerValue * (4 * trained + frozen);

  const bytes = (values: readonly Value[]) => values.reduce((sum, value) => sum + bytesOf(value, largest), 0);
  const { kinds, kindOfBlock, embeddings, head } = graphs;
  const kept = options.recompute ? kinds : kindOfBlock.map((kind) => kinds[kind]);
  const narrow = bytesPerElement[keptType] / bytesPerValue;
  const states = bytesPerValue * largest.tokens * architecture.hiddenSize;
  const mask = parts ? 0 : bytesPerValue * largest.rows * largest.length ** 2;
  const activations =
    narrow * (kept.reduce((sum, { saved }) => sum + bytes(saved), 0) + (kindOfBlock.length + 1) * states) +
    2 * states +
    mask;

  const between = (
    results: readonly Value[],
    given: readonly Value[],
    sizes: Readonly<Record<string, number>>,
    elsewhere: readonly string[] = [],
  ) => {
    const buffered = new Set([...results.map(({ name }) => name), ...elsewhere]);
    return temporaryBytes(reachable(results, given), buffered, sizes);
  };
  let temporaries = 0;
  for (const segment of [embeddings, ...kinds]) {
    const { output, saved } = segment;
    const results = resultsOf(segment, 'added');
    temporaries += between([output, ...saved], [], largest);
    if (results.length > 0) temporaries += between(results, saved, largest);
  }
  const rows = onDevice ? largest.tokens : Math.min(largest.tokens, rowsOfHead(architecture));
  const wide = head.wide.flat().map(({ name }) => name);
  temporaries += between(headResults(head, 'added'), [], { rows }, wide);
  temporaries += bytesPerValue * head.wide.length * rows * architecture.vocabularySize;
  const values = { activations, temporaries };
  if (!onDevice) return { host: need({ state, ...values, program: programBytes }), device: undefined };
  const { narrowCopies, onTheWay } = offloadedBytes(graphs, architecture, part, options);
  // What stays on the device is copied for a checkpoint; before the first one, there are the weights as they were loaded.
  const copies = bytesPerValue * Math.max(3 * trained, trained + frozen);
  return {
    host: need({
      state: offload ? state + narrowCopies : copies,
      activations: 0,
      temporaries: 0,
      program: programBytes,
    }),
    device: need({ state: offload ? onTheWay : state, ...values, program: deviceProgramBytes }),
  };
}

/** What offloaded weights take besides: rounded copies in this process's memory, and what is on the device at a time. */
function offloadedBytes(
  { kinds, kindOfBlock }: TrainingGraphs,
  architecture: Architecture,
  part: TrainedPart,
  { execution: { precision } }: EngineOptions,
): { readonly narrowCopies: number; readonly onTheWay: number } {
  const countOf = (tensor: string) => elementCount(part.shapes.get(tensor) ?? part.frozen.get(tensor)!);
  const blocks = kindOfBlock.map((kind, index) => {
    const { tensors, factors, gradients } = kinds[kind];
    const count = (names: Iterable<string>) =>
      [...names].reduce((sum, name) => sum + countOf(tensorOfBlock(architecture, index, name)), 0);
    const narrow = precision === 'float32' ? 0 : bytesPerElement[precision] * count(factors);
    const wide = bytesPerValue * (precision === 'float32' ? count(tensors) : count(tensors) - count(factors));
    return { narrow, weights: narrow + wide, gradients: bytesPerValue * count(gradients.keys()) };
  });
  const most = (of: (block: (typeof blocks)[number]) => number) => Math.max(...blocks.map(of));
  const largestTensor = Math.max(...[...part.shapes.keys(), ...part.frozen.keys()].map(countOf));
  return {
    narrowCopies: blocks.reduce((sum, { narrow }) => sum + narrow, 0),
    // Two blocks' weights; the gradients of one, with their sums so far. Parts that are no blocks take less beside them,
    // but for the largest tensor with its gradient.
    onTheWay:
      2 * most(({ weights }) => weights) +
      2 * most(({ gradients }) => gradients) +
      2 * bytesPerValue * largestTensor,
  };
}

const need = (parts: Omit<MemoryNeed, 'total'>): MemoryNeed => ({
  ...parts,
  total: parts.state + parts.activations + parts.temporaries + parts.program,
});
