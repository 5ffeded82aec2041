import { z } from 'zod';

const count = z.number().int().positive();
const id = z.number().int().nonnegative();

/** The only kinds of token in this model, as llama.cpp numbers them. */
const tokenTypes = { 1: 'normal', 3: 'control' } as const;

/**
 * The metadata of this model's GGUF under names of our own. The literals are what the conversion relies on.
 */
export const ggufMetadata = z
  .object({
    'general.architecture': z.literal('llama'),
    'llama.block_count': count,
    'llama.context_length': count,
    'llama.embedding_length': count,
    'llama.feed_forward_length': count,
    'llama.attention.head_count': count,
    'llama.attention.head_count_kv': count,
    'llama.attention.layer_norm_rms_epsilon': z.number().positive(),
    'llama.rope.freq_base': z.number().positive(),
    'llama.rope.dimension_count': count,
    'tokenizer.ggml.model': z.literal('gpt2'),
    'tokenizer.ggml.pre': z.literal('smollm'),
    'tokenizer.ggml.add_bos_token': z.literal(false),
    'tokenizer.ggml.add_space_prefix': z.literal(false),
    'tokenizer.ggml.tokens': z.array(z.string()),
    'tokenizer.ggml.token_type': z.array(z.literal([1, 3]).transform((type) => tokenTypes[type])),
    'tokenizer.ggml.merges': z.array(z.string()),
    'tokenizer.ggml.bos_token_id': id,
    'tokenizer.ggml.eos_token_id': id,
    'tokenizer.ggml.unknown_token_id': id,
    'tokenizer.ggml.padding_token_id': id,
    'tokenizer.chat_template': z.string(),
  })
  .transform((metadata) => ({
    layers: metadata['llama.block_count'],
    contextLength: metadata['llama.context_length'],
    hiddenSize: metadata['llama.embedding_length'],
    intermediateSize: metadata['llama.feed_forward_length'],
    heads: metadata['llama.attention.head_count'],
    keyValueHeads: metadata['llama.attention.head_count_kv'],
    // A float32, which holds no more than seven digits.
    epsilon: Number(metadata['llama.attention.layer_norm_rms_epsilon'].toPrecision(7)),
    rotaryBase: metadata['llama.rope.freq_base'],
    headSize: metadata['llama.rope.dimension_count'],
    /** Each token's text, in GPT-2's byte alphabet where it is not a control token. */
    tokens: metadata['tokenizer.ggml.tokens'],
    tokenTypes: metadata['tokenizer.ggml.token_type'],
    /** Two tokens with a space between, most useful first. */
    merges: metadata['tokenizer.ggml.merges'],
    beginToken: metadata['tokenizer.ggml.bos_token_id'],
    endToken: metadata['tokenizer.ggml.eos_token_id'],
    unknownToken: metadata['tokenizer.ggml.unknown_token_id'],
    paddingToken: metadata['tokenizer.ggml.padding_token_id'],
    chatTemplate: metadata['tokenizer.chat_template'],
  }));

export type GgufMetadata = z.output<typeof ggufMetadata>;
