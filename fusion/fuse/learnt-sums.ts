import type { Content } from '../../model/chat/conversation.ts';
import { learnt } from '../../model/chat/learning.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';

/**
 * A source's distributions with the sums of what is learnt alone: how well a source predicts what the user says tells
 * nothing about it as a teacher of answers. A text's are as they came.
 */
export function ofWhatIsLearnt(content: Content, distribution: TextDistribution): TextDistribution {
  const mask = learnt(content, distribution);
  if (mask === undefined) return distribution;
  const { starts, ends, tokenLogProbabilities } = distribution;
  const sums = { crossEntropy: 0, predictedTokens: 0, predictedBytes: 0 };
  for (let i = 1; i < mask.length; i++) {
    // What stands for nothing of the content is the template's own.
    if (mask[i] === 0 || ends[i] === starts[i]) continue;
    sums.crossEntropy -= tokenLogProbabilities[i];
    sums.predictedTokens++;
    sums.predictedBytes += ends[i] - starts[i];
  }
  return { ...distribution, ...sums };
}
