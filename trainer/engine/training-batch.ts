/**
 * One batch for the engine: B rows of T positions, padded on the right.
 * Position t of a row predicts the token at t + 1.
 */
export interface TrainingBatch {
  /** B, documents in the batch. */
  readonly rows: number;
  /** T, positions a row. */
  readonly length: number;
  /** K, candidates a fused distribution may have. */
  readonly candidates: number;
  /** [B × T] input token ids; padding is any valid id. */
  readonly inputIds: Int32Array;
  /** [B × T] id of the token that follows; −1 where nothing is to be learnt (padding, last token). */
  readonly labels: Int32Array;
  /** [B × T × K] token ids of the fused distribution; any valid id where the probability is 0. */
  readonly fusedIds: Int32Array;
  /** [B × T × K] its probabilities; a row of zeros where there is none (masked position). */
  readonly fusedProbabilities: Float32Array;
  /** [B × T] mass of the fused distribution that the target spreads as it thinks over all other tokens. */
  readonly fusedTail: Float32Array;
}

/** What one optimizer step did. Losses are means over the real tokens of the batch, in nats. */
export interface StepResult {
  /** Whether loss and gradient norm are numbers; where not, weights and moments are as they were before. */
  readonly finite: boolean;
  /** λ · causalLoss + (1 − λ) · fusionLoss (FuseLLM, equation 5). */
  readonly loss: number;
  readonly causalLoss: number;
  readonly fusionLoss: number;
  /** Global L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Real tokens: positions with a label. */
  readonly tokens: number;
  readonly computeSeconds: number;
  readonly optimizerSeconds: number;
}
