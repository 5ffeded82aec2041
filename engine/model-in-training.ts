import { partsOfAttention } from '../model/families/attention-scope.ts';
import { boundShape } from '../model/graph/shape.ts';
import { type Memory, processMemory } from '../model/runtime/memory.ts';
import type { BytesCrossed, Tensors } from '../model/runtime/session.ts';
import { beginningOf, isOnDevice, type Tensor, valuesOf } from '../model/runtime/tensor.ts';
import { Activations, largestSizes } from './activations.ts';
import type { BlockWeights } from './block-weights.ts';
import type { EngineOptions, KeptType } from './engine-options.ts';
import { rowsOfHead } from './graphs/head-graph.ts';
import { cotangentName, type GradientForm } from './graphs/segment.ts';
import { marksRollouts } from './loss/fused-loss.ts';
import { lossWeights, rolloutWeights, type Targets, targetFeeds, targetsOf } from './loss/targets.ts';
import type { MaskOnDevice } from './mask-on-device.ts';
import { type OpenedTraining, openTraining } from './open-training.ts';
import type { Optimizer } from './optimizer.ts';
import { microBatches } from './packing/micro-batches.ts';
import { type PackedTokens, tokenFeeds } from './packing/packed-tokens.ts';
import { TokensOnDevice } from './tokens-on-device.ts';
import { type TrainingBatch, textsAlone } from './training-batch.ts';
import type { TrainingSessions } from './training-sessions.ts';
import type { TrainingTensors } from './training-tensors.ts';

/** Means over the positions with a label, in nats. */
export interface Losses {
  /**
   * λ · causalLoss + (1 − λ) · fusionLoss where all documents are of the corpus. Of those that the model wrote itself the
   * fusion loss alone counts, with weight 1.
   */
  readonly loss: number;
  /** The mean over the corpus's positions with a label; 0 where there is none. */
  readonly causalLoss: number;
  /** The mean over all positions with a label. */
  readonly fusionLoss: number;
  /** Positions with a label. */
  readonly tokens: number;
}

/** Some tokens on their way through the model. */
interface Pass {
  readonly packed: PackedTokens;
  /** What sessions need to know of the tokens. */
  readonly feeds: Tensors;
}

/**
 * A model with its gradients: embeddings, block after block, head, and the backward pass. Each kind of block
 * is one pair of ONNX sessions that runs for every block in turn; between runs everything stays where it is
 * computed, in this process's memory or on the device.
 */
export class ModelInTraining {
  readonly tensors: TrainingTensors;
  readonly optimizer: Optimizer;
  /** Of the tensors. */
  readonly memory: Memory;
  /** All that has gone to a device and come from there. */
  readonly crossed: Readonly<BytesCrossed>;
  /** Operators that the processor computes for a device. */
  readonly onProcessor: ReadonlySet<string>;
  readonly #mask: MaskOnDevice | undefined;
  readonly #tokens: TokensOnDevice | undefined;
  /** Of activations: the device's, even where the tensors stay in this process's. */
  readonly #activationMemory: Memory;
  readonly #blockWeights: BlockWeights | undefined;
  readonly #inParts: boolean;
  readonly #masked: boolean;
  readonly #options: EngineOptions;
  readonly #sessions: TrainingSessions;
  readonly #hiddenSize: number;
  readonly #rowsAtOnce: number;
  readonly #bound: OpenedTraining['bound'];
  /** Tensors of the embeddings whose gradients do not start in the head, as those of a tied table do. */
  readonly #addedOnly: readonly string[];
  /** The input of each block, and the output of the last. */
  readonly #hidden: readonly Tensor[];
  /** What the backward pass reads of each block; of each kind of block where it is computed again. */
  readonly #saved: readonly Activations[];
  /** Of each list of the head's `wide`. */
  readonly #wide: readonly Tensor[];
  /** ∂loss/∂hidden behind a block and before it, in turns. */
  readonly #cotangents: readonly [Tensor, Tensor];

  private constructor(options: EngineOptions, opened: OpenedTraining) {
    const { architecture, tensors, sessions, bound, blockWeights, memory, activationMemory } = opened;
    const { optimizer, mask, crossed } = opened;
    const { kinds, kindOfBlock, head } = sessions;
    const onHost = activationMemory === processMemory;
    const largest = largestSizes(options);
    this.tensors = tensors;
    this.optimizer = optimizer;
    this.memory = memory;
    this.crossed = crossed;
    this.onProcessor = sessions.onProcessor;
    this.#options = options;
    this.#sessions = sessions;
    this.#mask = mask;
    this.#activationMemory = activationMemory;
    this.#inParts = partsOfAttention(options.contextLength) !== undefined;
    this.#masked = onHost && !this.#inParts;
    this.#tokens = onHost
      ? undefined
      : new TokensOnDevice(activationMemory, largest, { inParts: this.#inParts });
    this.#hiddenSize = architecture.hiddenSize;
    // A part of a tensor that does not begin at its beginning cannot be bound on a device.
    this.#rowsAtOnce = onHost ? rowsOfHead(architecture) : largest.tokens;
    this.#bound = bound;
    this.#blockWeights = blockWeights;
    this.#addedOnly = [...sessions.embeddings.segment.gradients.keys()].filter(
      (name) => !head.graph.gradients.has(name),
    );
    const states = (type?: KeptType) =>
      activationMemory.allocate([largest.tokens, architecture.hiddenSize], type);
    const { activations = 'float32' } = options.execution;
    this.#hidden = [states(activations), ...kindOfBlock.map(() => states(activations))];
    this.#cotangents = [states(), states()];
    const rows = Math.min(largest.tokens, this.#rowsAtOnce);
    const wide = onHost ? head.graph.wide : [];
    this.#wide = wide.map(() => activationMemory.allocate([rows, architecture.vocabularySize]));
    const kept = options.recompute ? [...kinds.keys()] : kindOfBlock;
    this.#saved = kept.map(
      (kind) =>
        new Activations(activationMemory, kinds[kind].segment.saved, { largest, elementType: activations }),
    );
  }

  /** @throws FuseMeshError not_found, invalid_argument or data_loss when the model or its length does not fit */
  static async open(directory: string, options: EngineOptions): Promise<ModelInTraining> {
    return new ModelInTraining(options, await openTraining(directory, options));
  }

  /** Computes the gradients of a step's loss into the tensors' buffers, part by part. */
  async computeGradients(batch: TrainingBatch): Promise<Losses> {
    const realTokens = batch.labels.reduce((count, label) => (label >= 0 ? count + 1 : count), 0);
    const { execution } = this.#options;
    const weights = lossWeights(this.#options.lambda);
    // The gradients of a mean over many tokens would underflow in float16: there, the sum is computed.
    const scale = execution.precision === 'float16' ? Math.max(1, realTokens) : 1;
    let [causal, fusion, ofRollouts] = [0, 0, 0];
    this.#blockWeights?.forget();
    for (const name of this.#addedOnly) await this.memory.clear(this.tensors.gradientOf(name));
    for (const [part, packed] of this.#microBatches(batch).entries()) {
      const pass = await this.#passOf(packed, batch);
      const targets = targetsOf(batch, packed.places, {
        weights,
        marked: marksRollouts(this.#options),
        realTokens: Math.max(1, realTokens) / scale,
      });
      await this.#forward(pass);
      const isFirst = part === 0;
      const sums = await this.#head(pass, targets, isFirst);
      await this.#backward(pass, isFirst ? 'alone' : 'added');
      causal += sums.causal;
      fusion += sums.fusion;
      ofRollouts += sums.ofRollouts;
    }
    if (scale !== 1) {
      for (const { gradient } of this.tensors.trained) await this.memory.scale(gradient, 1 / scale);
    }
    const perToken = 1 / Math.max(1, realTokens);
    const ofCorpus = { causal: causal * perToken, fusion: fusion * perToken };
    const loss =
      weights.causal * ofCorpus.causal +
      weights.fusion * ofCorpus.fusion +
      rolloutWeights.fusion * ofRollouts * perToken;
    const { isRollout } = batch;
    const corpusTokens = isRollout
      ? batch.labels.reduce((count, label, i) => (label >= 0 && isRollout[i] === 0 ? count + 1 : count), 0)
      : realTokens;
    return {
      loss,
      causalLoss: causal * (1 / Math.max(1, corpusTokens)),
      fusionLoss: (fusion + ofRollouts) * perToken,
      tokens: realTokens,
    };
  }

  /**
   * Scores texts with the model as it is now.
   *
   * @param texts token ids of each, contextLength at most
   * @returns [texts][n] cross-entropy of each token after those before it, in nats; 0 for the first
   */
  async crossEntropies(texts: readonly Int32Array[]): Promise<Float32Array[]> {
    const batch = textsAlone(texts, this.#options.candidates);
    const ofPlaces = new Float32Array(batch.inputIds.length);
    const { graph, score } = this.#sessions.head;
    this.#blockWeights?.forget();
    for (const packed of this.#microBatches(batch)) {
      const pass = await this.#passOf(packed, batch);
      const targets = targetsOf(batch, packed.places, {
        weights: lossWeights(1),
        marked: marksRollouts(this.#options),
        realTokens: 1,
      });
      await this.#forward(pass);
      for (const { begin, end, hidden } of this.#partsOfHead(pass)) {
        const feeds = { ...this.#bound.head.feeds, ...targetFeeds(targets, begin, end), hidden };
        const causal = new Float32Array(end - begin);
        await score.run(feeds, { [graph.causal.name]: { data: causal, shape: [end - begin, 1] } });
        for (let row = begin; row < end; row++)
          if (targets.isReal[row] === 1) ofPlaces[packed.places[row]] = causal[row - begin];
      }
    }
    let begin = 0;
    return batch.lengths.map((length) => {
      const ofText = new Float32Array(length);
      // At the place of a token stands the loss of the next one.
      ofText.set(ofPlaces.subarray(begin, begin + length - 1), 1);
      begin += length;
      return ofText;
    });
  }

  async close(): Promise<void> {
    await this.#sessions.close();
    await this.optimizer.close();
    await this.#mask?.close();
    await this.#blockWeights?.close();
    await this.#activationMemory.close();
  }

  #microBatches({ lengths }: TrainingBatch): PackedTokens[] {
    return microBatches(lengths, { ...this.#options, masked: this.#masked });
  }

  async #passOf(packed: PackedTokens, { inputIds }: TrainingBatch): Promise<Pass> {
    const ofTokens = tokenFeeds(packed, inputIds, { inParts: this.#inParts });
    const feeds = this.#tokens ? await this.#tokens.of(ofTokens) : ofTokens;
    return { packed, feeds: this.#mask ? { ...feeds, mask: await this.#mask.of(packed) } : feeds };
  }

  async #forward(pass: Pass): Promise<void> {
    const { embeddings, kindOfBlock } = this.#sessions;
    const { segment, forward } = embeddings;
    await forward.run(
      { ...pass.feeds, ...this.#bound.embeddings.feeds },
      { [segment.output.name]: this.#states(this.#hidden[0], pass) },
    );
    for (const index of kindOfBlock.keys()) await this.#blockForward(pass, index, index + 1);
  }

  /** @param next the block that is computed after it */
  async #blockForward(pass: Pass, index: number, next: number): Promise<void> {
    const { forward, segment } = this.#sessions.kinds[this.#sessions.kindOfBlock[index]];
    await forward.run(
      {
        ...pass.feeds,
        hidden: this.#states(this.#hidden[index], pass),
        ...(await this.#feedsOfBlock(index, next)),
      },
      {
        ...this.#savedOf(pass, index),
        [segment.output.name]: this.#states(this.#hidden[index + 1], pass),
      },
    );
  }

  /** Losses, and their gradient by the last block's output, a few rows at a time. */
  async #head(
    pass: Pass,
    targets: Targets,
    isFirst: boolean,
  ): Promise<{ readonly causal: number; readonly fusion: number; readonly ofRollouts: number }> {
    const { graph, train } = this.#sessions.head;
    const { feeds, into } = this.#bound.head;
    let [causal, fusion, ofRollouts] = [0, 0, 0];
    for (const { begin, end, hidden, cotangent } of this.#partsOfHead(pass)) {
      const form = isFirst && begin === 0 ? 'alone' : 'added';
      const causalOfRows = new Float32Array(end - begin);
      const fusionOfRows = new Float32Array(end - begin);
      await train[form].run(
        { ...feeds, ...targetFeeds(targets, begin, end), hidden },
        {
          ...into,
          ...this.#wideOf(begin, end),
          [graph.inputCotangent.name]: cotangent,
          [graph.causal.name]: { data: causalOfRows, shape: [end - begin, 1] },
          [graph.fusion.name]: { data: fusionOfRows, shape: [end - begin, 1] },
        },
      );
      causal += sumWhere(causalOfRows, targets.isReal, begin);
      fusion += sumWhere(fusionOfRows, targets.isTaught, begin);
      ofRollouts += sumWhere(fusionOfRows, targets.isJudged, begin);
    }
    return { causal, fusion, ofRollouts };
  }

  /** The rows that the head takes one after the other, out of the last block and back into it. */
  *#partsOfHead({ packed: { tokens } }: Pass) {
    const last = this.#hidden[this.#hidden.length - 1];
    for (let begin = 0; begin < tokens; begin += this.#rowsAtOnce) {
      const end = Math.min(tokens, begin + this.#rowsAtOnce);
      const rows = (states: Tensor): Tensor => rowsOf(states, begin, [end - begin, this.#hiddenSize]);
      yield { begin, end, hidden: rows(last), cotangent: rows(this.#cotangents[0]) };
    }
  }

  /** Where the head computes its widest values. */
  #wideOf(begin: number, end: number): Tensors {
    const tensors: Record<string, Tensor> = {};
    for (const [i, whole] of this.#wide.entries()) {
      const values = this.#sessions.head.graph.wide[i];
      const tensor = beginningOf(whole, boundShape(values[0].shape, { rows: end - begin }));
      for (const { name } of values) tensors[name] = tensor;
    }
    return tensors;
  }

  async #backward(pass: Pass, form: GradientForm): Promise<void> {
    const { embeddings, kinds, kindOfBlock } = this.#sessions;
    let [behind, before] = this.#cotangents;
    for (let index = kindOfBlock.length - 1; index >= 0; index--) {
      const { backward, segment } = kinds[kindOfBlock[index]];
      // What the last block keeps is still there from the forward pass.
      if (this.#options.recompute && index < kindOfBlock.length - 1)
        await this.#blockForward(pass, index, index - 1);
      const { into } = this.#bound.blocks[index];
      await backward![form].run(
        {
          ...pass.feeds,
          hidden: this.#states(this.#hidden[index], pass),
          ...(await this.#feedsOfBlock(index, index - 1)),
          ...this.#savedOf(pass, index),
          [cotangentName]: this.#states(behind, pass),
        },
        { ...into, [segment.inputCotangent!.name]: this.#states(before, pass) },
      );
      [behind, before] = [before, behind];
    }
    const { feeds, into } = this.#bound.embeddings;
    // Where the table is tied to the head, the head has started its gradient.
    await embeddings.backward?.added.run(
      { ...pass.feeds, ...feeds, [cotangentName]: this.#states(behind, pass) },
      into,
    );
  }

  /** A block's tensors, where it is computed. */
  async #feedsOfBlock(index: number, next: number): Promise<Tensors> {
    const { feeds } = this.#bound.blocks[index];
    if (!this.#blockWeights) return feeds;
    const isBlock = next >= 0 && next < this.#bound.blocks.length;
    return { ...feeds, ...(await this.#blockWeights.take(index, isBlock ? next : undefined)) };
  }

  #savedOf({ packed }: Pass, index: number): Tensors {
    const { recompute } = this.#options;
    return this.#saved[recompute ? this.#sessions.kindOfBlock[index] : index].at(packed);
  }

  /** As many rows of hidden states as there are tokens. */
  #states(whole: Tensor, { packed: { tokens } }: Pass): Tensor {
    return beginningOf(whole, [tokens, this.#hiddenSize]);
  }
}

/** Some rows of a matrix; on a device, the first ones. */
function rowsOf(whole: Tensor, begin: number, shape: readonly [number, number]): Tensor {
  return isOnDevice(whole) ? beginningOf(whole, shape) : valuesOf(whole, begin * shape[1], shape);
}

/** Sum of those values whose row is marked; the first value is of row `begin`. */
function sumWhere(values: Float32Array, marks: Uint8Array, begin: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) if (marks[begin + i] === 1) sum += values[i];
  return sum;
}
