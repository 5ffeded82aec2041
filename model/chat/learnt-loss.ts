import type { Tokenization } from '../tokenizer/tokenization.ts';
import type { Content } from './conversation.ts';
import { learnt } from './learning.ts';

/** How well a model predicts what is learnt of a content. */
export interface LearntLoss {
  /** Summed, in nats. */
  readonly crossEntropy: number;
  /** How many tokens it is of. */
  readonly predictedTokens: number;
  /** How many bytes they stand for: UTF-8, and one for each end of a turn. */
  readonly predictedBytes: number;
}

/**
 * The loss of a model on what is learnt of a content: on all tokens of a text but the first; on what is said in those
 * turns of a conversation that are learnt, and on the tokens that end them. What a template writes beside is left out:
 * it tells nothing about a model among models with other templates.
 *
 * @param tokenization of the content by the model
 * @param crossEntropies [n] of each token after those before it, in nats; that of the first is not looked at
 */
export function learntLoss(
  content: Content,
  { starts, ends }: Pick<Tokenization, 'starts' | 'ends'>,
  crossEntropies: ArrayLike<number>,
): LearntLoss {
  const mask = learnt(content, { starts, ends });
  const loss = { crossEntropy: 0, predictedTokens: 0, predictedBytes: 0 };
  for (let i = 1; i < ends.length; i++) {
    if (mask !== undefined && (mask[i] === 0 || ends[i] === starts[i])) continue;
    loss.crossEntropy += crossEntropies[i];
    loss.predictedTokens++;
    loss.predictedBytes += ends[i] - ends[i - 1];
  }
  return loss;
}
