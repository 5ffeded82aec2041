/**
 * A batch and how to train on it, in JSON: [rows][positions], and for the fused distribution
 * [rows][positions][candidates].
 */
export interface Request {
  readonly inputIds: readonly (readonly number[])[];
  /** The next token; −1 where nothing is to be learnt. */
  readonly labels: readonly (readonly number[])[];
  readonly fusedIds: readonly (readonly (readonly number[])[])[];
  readonly fusedProbabilities: readonly (readonly (readonly number[])[])[];
  /** Weight of the causal loss against the fusion loss. */
  readonly lambda: number;
  readonly learningRate: number;
}

export interface Trained {
  /** Wall time of the step alone. */
  readonly seconds: number;
  /** Before the step, in nats a token. */
  readonly loss: number;
  /** How many positions have a label. */
  readonly tokens: number;
  /** Largest resident set of the process so far. */
  readonly peakBytes: number;
}
