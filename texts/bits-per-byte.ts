/** A piece of held-out text with its label. */
export interface HeldOutPiece {
  readonly domain: string;
  readonly text: string;
}

/** Cross-entropy of a text in nats, and how many UTF-8 bytes of it the predicted tokens cover. */
export interface TextLoss {
  readonly crossEntropy: number;
  readonly predictedBytes: number;
}

/**
 * Loss by domain in bits per byte, which models with different tokenizers can be compared by.
 *
 * @param losses one for each piece, in order
 */
export function bitsPerByte(
  pieces: readonly HeldOutPiece[],
  losses: readonly TextLoss[],
): Map<string, number> {
  const sums = new Map<string, { nats: number; bytes: number }>();
  for (const [i, { domain }] of pieces.entries()) {
    const sum = sums.get(domain) ?? { nats: 0, bytes: 0 };
    sum.nats += losses[i].crossEntropy;
    sum.bytes += losses[i].predictedBytes;
    sums.set(domain, sum);
  }
  return new Map([...sums].map(([domain, { nats, bytes }]) => [domain, nats / Math.LN2 / bytes]));
}
