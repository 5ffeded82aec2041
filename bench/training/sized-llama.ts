import type { LlamaSizes } from '../random-llama.ts';

/** A Llama of some size, and the batch that it trains on. */
export interface SizedLlama {
  readonly name: string;
  readonly sizes: LlamaSizes;
  /** Tokens of each document. */
  readonly length: number;
  readonly documents: number;
}

/** Tokens in a step. */
const tokens = 2048;

const sized = (
  name: string,
  { width, layers, vocabulary = 4096, length = 256 }: SizedWidth & { vocabulary?: number; length?: number },
): SizedLlama => ({
  name,
  length,
  documents: tokens / length,
  sizes: {
    vocab_size: vocabulary,
    hidden_size: width,
    intermediate_size: Math.round((width * 8) / 3 / 8) * 8,
    num_hidden_layers: layers,
    num_attention_heads: width / 64,
    num_key_value_heads: width / 128,
    max_position_embeddings: length,
  },
});

interface SizedWidth {
  readonly width: number;
  readonly layers: number;
}

/** Parameters, context and vocabulary grow, one at a time. */
export const growingLlamas: readonly SizedLlama[] = [
  sized('1 M parameters', { width: 128, layers: 4 }),
  sized('4 M parameters', { width: 256, layers: 4 }),
  sized('16 M parameters', { width: 512, layers: 5 }),
  sized('64 M parameters', { width: 1024, layers: 5 }),
  ...[256, 512, 1024, 2048].map((length) => sized(`context ${length}`, { width: 512, layers: 5, length })),
  ...[4096, 16384, 65536].map((vocabulary) =>
    sized(`vocabulary ${vocabulary}`, { width: 256, layers: 4, vocabulary }),
  ),
];
