import { embeddingRows } from './embedding-rows.ts';
import type { GgufFile } from './gguf-file.ts';
import type { ImportedArchitecture } from './imported-architecture.ts';
import type { Metadata } from './metadata.ts';
import { byGroups } from './reorderings.ts';
import { scalingOf } from './rotary-scaling.ts';

const base = {
  modelParts: {
    token_embd: 'transformer.word_embeddings',
    output_norm: 'transformer.ln_f',
    output: 'lm_head',
  },
  blockPath: (index: string) => `transformer.h.${index}`,
} as const;

const parts = {
  attn_qkv: 'self_attention.query_key_value',
  attn_output: 'self_attention.dense',
  ffn_up: 'mlp.dense_h_to_4h',
  ffn_down: 'mlp.dense_4h_to_h',
} as const;

/** With one norm in each block (7B, 11B), or with two (40B, 180B): those have the feed-forward's under the first name. */
export const falcon = (file: GgufFile): ImportedArchitecture => {
  const hasTwoNorms = file.tensors.has('blk.0.attn_norm_2.weight');
  return {
    ...base,
    blockParts: hasTwoNorms
      ? { ...parts, attn_norm: 'ln_mlp', attn_norm_2: 'ln_attn' }
      : { ...parts, attn_norm: 'input_layernorm' },
    config: (_, metadata) => config(file, metadata, hasTwoNorms),
    reordered: (part, metadata) =>
      part === 'attn_qkv'
        ? byGroups(metadata.number('falcon.attention.head_count'), groupsOf(metadata))
        : undefined,
  };
};

const groupsOf = (metadata: Metadata): number =>
  metadata.optionalNumber('falcon.attention.head_count_kv') ?? 1;

function config(file: GgufFile, metadata: Metadata, hasTwoNorms: boolean) {
  const width = metadata.number('falcon.embedding_length');
  const heads = metadata.number('falcon.attention.head_count');
  const groups = groupsOf(metadata);
  const isNew = hasTwoNorms || groups > 1;
  return {
    architectures: ['FalconForCausalLM'],
    model_type: 'falcon',
    vocab_size: embeddingRows(file),
    hidden_size: width,
    ffn_hidden_size: metadata.number('falcon.feed_forward_length'),
    num_hidden_layers: metadata.number('falcon.block_count'),
    num_attention_heads: heads,
    num_kv_heads: groups,
    new_decoder_architecture: isNew,
    num_ln_in_parallel_attn: hasTwoNorms ? 2 : 1,
    multi_query: groups === 1,
    parallel_attn: true,
    bias: file.tensors.has('blk.0.attn_qkv.bias'),
    alibi: false,
    // A GGUF does not say; Falcon's models have this one.
    activation: 'gelu',
    layer_norm_epsilon: metadata.number('falcon.attention.layer_norm_epsilon'),
    max_position_embeddings: metadata.number('falcon.context_length'),
    rope_theta: metadata.optionalNumber('falcon.rope.freq_base') ?? 10_000,
    rope_scaling: scalingOf(metadata, 'falcon'),
  };
}
