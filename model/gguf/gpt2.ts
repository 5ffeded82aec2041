import { embeddingRows } from './embedding-rows.ts';
import type { ImportedArchitecture } from './imported-architecture.ts';
import { transposed } from './reorderings.ts';

export const gpt2: ImportedArchitecture = {
  config: (file, metadata) => ({
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    vocab_size: embeddingRows(file),
    n_positions: metadata.number('gpt2.context_length'),
    n_embd: metadata.number('gpt2.embedding_length'),
    n_layer: metadata.number('gpt2.block_count'),
    n_head: metadata.number('gpt2.attention.head_count'),
    n_inner: metadata.number('gpt2.feed_forward_length'),
    // A GGUF does not say; llama.cpp computes this one.
    activation_function: 'gelu_new',
    layer_norm_epsilon: metadata.number('gpt2.attention.layer_norm_epsilon'),
  }),
  modelParts: {
    token_embd: 'transformer.wte',
    position_embd: 'transformer.wpe',
    output_norm: 'transformer.ln_f',
    output: 'lm_head',
  },
  blockParts: {
    attn_norm: 'ln_1',
    attn_qkv: 'attn.c_attn',
    attn_output: 'attn.c_proj',
    ffn_norm: 'ln_2',
    ffn_up: 'mlp.c_fc',
    ffn_down: 'mlp.c_proj',
  },
  blockPath: (index) => `transformer.h.${index}`,
  reordered: (part, _metadata, [, columns]) =>
    columns !== undefined && linear.has(part) ? transposed : undefined,
};

const linear = new Set(['attn_qkv', 'attn_output', 'ffn_up', 'ffn_down']);
