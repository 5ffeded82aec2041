import type { Value } from '../graph/graph.ts';

/** A language model before its weights are known: what config.json says, as a graph to be. */
export interface Architecture {
  /** model_type of config.json. */
  readonly family: string;
  readonly vocabularySize: number;
  /** Longest input, in tokens. */
  readonly contextLength: number;
  /** Shape of every weight by its name in the safetensors file; a tied one stands once. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
  /**
   * The forward pass.
   *
   * @returns logits [batch · length, vocabulary]: row b·length + t is of the token after token t of row b
   */
  logits(input: ForwardInput): Value;
}

export interface ForwardInput {
  /** int32 or int64 [batch, length] token ids; sizes may be open. */
  readonly inputIds: Value;
  /** int64 [batch, length] position of each token; a token sees those of its row at no later position. */
  readonly positions: Value;
  /** float32 weight by its name. */
  readonly weight: (name: string) => Value;
}
