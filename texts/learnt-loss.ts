import type { Content } from '../model/chat/conversation.ts';
import { learnt } from '../model/chat/learning.ts';
import type { Tokenization } from '../model/tokenizer/tokenization.ts';
import type { TextLoss } from './bits-per-byte.ts';

/** A loss, and how many tokens it is of. */
export interface PieceLoss extends TextLoss {
  readonly predictedTokens: number;
}

/**
 * The loss of a model on what is learnt of a content: on all tokens of a text but the first; on what is said in those
 * turns of a conversation that are learnt, and on the tokens that end them, which count as a byte each.
 *
 * @param tokenization of the content by the model
 * @param crossEntropies [n] of each token after those before it, in nats; that of the first is not looked at
 */
export function learntLoss(
  content: Content,
  { starts, ends }: Pick<Tokenization, 'starts' | 'ends'>,
  crossEntropies: ArrayLike<number>,
): PieceLoss {
  const mask = learnt(content, { starts, ends });
  let crossEntropy = 0;
  let predictedTokens = 0;
  let predictedBytes = 0;
  for (let i = 1; i < ends.length; i++) {
    if (mask?.[i] === 0) continue;
    crossEntropy += crossEntropies[i];
    predictedTokens++;
    predictedBytes += ends[i] - ends[i - 1];
  }
  return { crossEntropy, predictedTokens, predictedBytes };
}
