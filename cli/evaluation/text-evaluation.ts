import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { LearntLoss } from '../../model/chat/learnt-loss.ts';
import { bitsPerByte } from '../../texts/bits-per-byte.ts';

/** How well a model predicts several pieces of text as a whole. */
export interface TextEvaluation {
  /** Their path; "total" for those of all paths. */
  readonly name: string;
  readonly bitsPerByte: number;
  readonly natsPerToken: number;
  /** e to the nats per token. */
  readonly perplexity: number;
  /**
   * Tokens that were predicted: the first of a text's piece is not, unless the tokenizer puts one in front; of a
   * conversation, those that are learnt.
   */
  readonly tokens: number;
  /** UTF-8 bytes that they cover. */
  readonly bytes: number;
}

/**
 * The losses of several pieces, taken together. Only bits per byte can be compared between tokenizers.
 *
 * @throws FuseMeshError invalid_argument where no token is predicted
 */
export function textEvaluation(name: string, losses: readonly LearntLoss[]): TextEvaluation {
  const sum = { crossEntropy: 0, predictedTokens: 0, predictedBytes: 0 };
  for (const { crossEntropy, predictedTokens, predictedBytes } of losses) {
    sum.crossEntropy += crossEntropy;
    sum.predictedTokens += predictedTokens;
    sum.predictedBytes += predictedBytes;
  }
  if (sum.predictedBytes === 0) {
    throw new FuseMeshError('invalid_argument', `${name} has no token to predict: name a longer text.`);
  }
  const natsPerToken = sum.crossEntropy / sum.predictedTokens;
  return {
    name,
    bitsPerByte: bitsPerByte(sum),
    natsPerToken,
    perplexity: Math.exp(natsPerToken),
    tokens: sum.predictedTokens,
    bytes: sum.predictedBytes,
  };
}
