import { embeddingRows } from './embedding-rows.ts';
import type { ImportedArchitecture } from './imported-architecture.ts';
import { byHeads } from './reorderings.ts';
import { scalingOf } from './rotary-scaling.ts';

export const gptNeox: ImportedArchitecture = {
  config: (file, metadata) => {
    const hiddenSize = metadata.number('gptneox.embedding_length');
    const heads = metadata.number('gptneox.attention.head_count');
    const rotated = metadata.number('gptneox.rope.dimension_count');
    return {
      architectures: ['GPTNeoXForCausalLM'],
      model_type: 'gpt_neox',
      vocab_size: embeddingRows(file),
      hidden_size: hiddenSize,
      intermediate_size: metadata.number('gptneox.feed_forward_length'),
      num_hidden_layers: metadata.number('gptneox.block_count'),
      num_attention_heads: heads,
      // A GGUF does not say; Pythia has this one.
      hidden_act: 'gelu',
      max_position_embeddings: metadata.number('gptneox.context_length'),
      layer_norm_eps: metadata.number('gptneox.attention.layer_norm_epsilon'),
      use_parallel_residual: metadata.optionalBoolean('gptneox.use_parallel_residual') ?? true,
      attention_bias: file.tensors.has('blk.0.attn_qkv.bias'),
      rotary_pct: rotated / (hiddenSize / heads),
      rotary_emb_base: metadata.optionalNumber('gptneox.rope.freq_base') ?? 10_000,
      rope_scaling: scalingOf(metadata, 'gptneox'),
    };
  },
  modelParts: {
    token_embd: 'gpt_neox.embed_in',
    output_norm: 'gpt_neox.final_layer_norm',
    output: 'embed_out',
  },
  blockParts: {
    attn_norm: 'input_layernorm',
    attn_qkv: 'attention.query_key_value',
    attn_output: 'attention.dense',
    ffn_norm: 'post_attention_layernorm',
    ffn_up: 'mlp.dense_h_to_4h',
    ffn_down: 'mlp.dense_4h_to_h',
  },
  blockPath: (index) => `gpt_neox.layers.${index}`,
  reordered: (part, metadata) =>
    part === 'attn_qkv' ? byHeads(metadata.number('gptneox.attention.head_count')) : undefined,
};
