import type { Content } from '../model/chat/conversation.ts';

/** A piece of a held-out text or conversation with its label. */
export interface HeldOutPiece {
  readonly domain: string;
  readonly content: Content;
}

/**
 * Cross-entropy of what is learnt of a text or conversation, in nats, and how many UTF-8 bytes its tokens cover: of a text,
 * those of all tokens but the first; the end of a turn counts as one.
 */
export interface TextLoss {
  readonly crossEntropy: number;
  readonly predictedBytes: number;
}

export const bitsPerByte = ({ crossEntropy, predictedBytes }: TextLoss): number =>
  crossEntropy / Math.LN2 / predictedBytes;

/**
 * Loss by domain in bits per byte, a measure that compares models with different tokenizers.
 *
 * @param losses one for each piece, in order
 */
export function bitsPerByteOfDomains(
  pieces: readonly HeldOutPiece[],
  losses: readonly TextLoss[],
): Map<string, number> {
  const sums = new Map<string, { crossEntropy: number; predictedBytes: number }>();
  for (const [i, { domain }] of pieces.entries()) {
    const sum = sums.get(domain) ?? { crossEntropy: 0, predictedBytes: 0 };
    sum.crossEntropy += losses[i].crossEntropy;
    sum.predictedBytes += losses[i].predictedBytes;
    sums.set(domain, sum);
  }
  return new Map([...sums].map(([domain, sum]) => [domain, bitsPerByte(sum)]));
}
