import type { Value } from '../graph/graph.ts';
import type { AttentionParts, AttentionScores } from '../graph/signatures.ts';
import type { LinearLayer, PlaceWithin } from './weight-shapes.ts';

/** A language model without its weights: what config.json says, and how to build its graph. */
export interface Architecture {
  /** model_type of config.json. */
  readonly family: string;
  readonly vocabularySize: number;
  /** Longest input, in tokens. */
  readonly contextLength: number;
  /** What the names of all weights but the head begin with; files of the bare base model leave it out. */
  readonly baseModelPrefix: string;
  /** Shape of every weight by its name in the safetensors file; a tied one stands once. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
  /** The linear layers among them, by the name of their module ("model.layers.0.mlp.up_proj"). */
  readonly linearLayers: ReadonlyMap<string, LinearLayer>;
  /** Where weights lie in files that hold several in one tensor. */
  readonly placesWithin?: ReadonlyMap<string, PlaceWithin>;
  /** Why it can teach and not be trained; undefined where it can. */
  readonly trainingProblem?: string | undefined;
  /** The weight that is embedding and head at once, and the name that a head of its own would have; where they are one. */
  readonly tiedHead?: { readonly embedding: string; readonly head: string } | undefined;
  /** Width of what goes from block to block. */
  readonly hiddenSize: number;
  /** What the keys and values of one token take. */
  readonly keyValueSizes: KeyValueSizes;
  /** Path of the modules of block i; but for it, all blocks have the same names and shapes of weights. */
  blockPath(index: number): string;
  /** What block i computes: blocks of one kind compute the same from other weights. Left out, all are of one kind. */
  readonly kindOfBlock?: (index: number) => string;
  /** What goes into the first block: [tokens, hidden size]; token t of text b stands in row b·length + t. */
  embeddings(input: TokenInput): Value;
  /** The blocks, by their index: [tokens, hidden size] → the same. */
  blocks(input: BlockInput): (index: number, hidden: Value) => Value;
  /** The norm behind the last block, of any rows: [rows, hidden size] → the same. */
  finalNorm(hidden: Value, weights: ModelWeights): Value;
  /**
   * The head.
   *
   * @param normed [rows, hidden size], behind the last norm
   * @returns logits [rows, vocabulary] of the token after each row's
   */
  logits(normed: Value, weights: ModelWeights): Value;
}

export interface KeyValueSizes {
  readonly layers: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
}

/** The weights of a model as values of a graph. */
export interface ModelWeights {
  /** float32 weight by its name. */
  readonly weight: (name: string) => Value;
  /** A weight of which rows are picked, in the type in which it is stored; undefined where `weight` has to do. */
  readonly table?: (name: string) => Value | undefined;
  /** What a linear layer whose weight is quantized gives without its bias: [rows, in] → [rows, out]. */
  readonly linear?: (module: string, input: Value) => Value | undefined;
  /** Changes what a linear layer gives, by the name of its module: [rows, in] and [rows, out] → [rows, out]. */
  readonly adapt?: (module: string, input: Value, output: Value) => Value;
}

/** The weights, and the tokens that the model reads. */
export interface TokenInput extends ModelWeights {
  /** int32 or int64 [batch, length] token ids; sizes may be open. */
  readonly inputIds: Value;
  /** int64 [batch, length] position of each token. */
  readonly positions: Value;
}

/** The weights, and what a block needs to know of the tokens. */
export interface BlockInput extends ModelWeights {
  /** int64 [batch, length] position of each token. */
  readonly positions: Value;
  /** What each token may attend to; if left out, the tokens of its row up to its own position. */
  readonly scope?: AttentionScope;
}

/** How attention arranges the tokens: rows of queries, and the keys that each query may attend to. */
export interface AttentionScope {
  /** int64 [rows, queries]. */
  readonly queryPositions: Value;
  /** int64 [rows, keys]. */
  readonly keyPositions: Value;
  /**
   * float32 [rows, 1, 1, queries, keys]: 0 where a query may attend to a key, −∞ elsewhere. Or how attention is
   * computed in parts: each token attends to its document up to itself, and the mask is made part by part. Or a cache,
   * in which each token attends to its row's up to itself.
   */
  readonly mask: Value | AttentionParts | AttentionCache;
  /** [tokens, width] → [rows, queries, width]. */
  inRows(x: Value): Value;
  /** [rows · queries, width] → [tokens, width]. */
  ofTokens(x: Value): Value;
  /**
   * All keys and values of a layer, where there is a cache of earlier ones.
   *
   * @param keys those of the input, [rows, key-value heads, queries, head size]; so are the values
   * @returns [rows, key-value heads, keys, head size] each
   */
  readonly extend?:
    | ((layer: number, keys: Value, values: Value) => { readonly keys: Value; readonly values: Value })
    | undefined;
}

/** Keys and values that stay in one place from run to run. */
export interface AttentionCache {
  /**
   * Writes the keys and values of the input into a layer's cache, and attends to all that is in it.
   *
   * @param queries [rows, length, heads · head size]
   * @param keys [rows, length, key-value heads · head size]; so are the values
   * @param scores with a bias of each key, [1, heads, keys]
   * @returns [rows, length, heads · head size]
   */
  attend(
    layer: number,
    queries: Value,
    keys: Value,
    values: Value,
    scores: AttentionScores & { readonly bias?: Value | undefined },
  ): Value;
}
