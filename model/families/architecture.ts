import type { Value } from '../graph/graph.ts';
import type { LinearLayer } from './weight-shapes.ts';

/** A language model before its weights are known: what config.json says, as a graph to be. */
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
  /** What the keys and values of one token take. */
  readonly keyValueSizes: KeyValueSizes;
  /**
   * The forward pass up to the last norm.
   *
   * @returns [batch · length, hidden size]: row b·length + t is of token t
   */
  hiddenStates(input: ForwardInput): Value;
  /**
   * The head.
   *
   * @param hiddenStates [rows, hidden size], any rows of them
   * @returns logits [rows, vocabulary] of the token after each row's
   */
  logits(hiddenStates: Value, weights: ModelWeights): Value;
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
  /** Changes what a linear layer gives, by the name of its module: [rows, in] and [rows, out] → [rows, out]. */
  readonly adapt?: (module: string, input: Value, output: Value) => Value;
}

export interface ForwardInput extends ModelWeights {
  /** int32 or int64 [batch, length] token ids; sizes may be open. */
  readonly inputIds: Value;
  /** int64 [batch, length] position of each token. */
  readonly positions: Value;
  /** What the tokens may look at; left out, each sees those of its row at no later position. */
  readonly scope?: AttentionScope;
}

/** The keys that the tokens of an input may look at: those at no later position than their own. */
export interface AttentionScope {
  /** int64 [batch, keys]. */
  readonly keyPositions: Value;
  /**
   * All keys and values of a layer.
   *
   * @param keys those of the input, [batch, key-value heads, length, head size]; so are the values
   * @returns [batch, key-value heads, keys, head size] each
   */
  extend(layer: number, keys: Value, values: Value): { readonly keys: Value; readonly values: Value };
}
