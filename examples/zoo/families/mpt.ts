import { contextLength, initializerRange, type ModelSize } from './size.ts';

/** config.json of an MPT: layer norm without bias, ALiBi instead of positions, GELU. */
export const mpt = (vocabularySize: number, { hiddenSize, layers, heads }: ModelSize) => ({
  architectures: ['MptForCausalLM'],
  model_type: 'mpt',
  vocab_size: vocabularySize,
  d_model: hiddenSize,
  n_layers: layers,
  n_heads: heads,
  expansion_ratio: 4,
  max_seq_len: contextLength,
  layer_norm_epsilon: 1e-5,
  no_bias: true,
  attn_config: {
    attn_type: 'multihead_attention',
    alibi: true,
    alibi_bias_max: 8,
    attn_pdrop: 0,
    clip_qkv: null,
    qk_ln: false,
    prefix_lm: false,
    softmax_scale: null,
  },
  emb_pdrop: 0,
  resid_pdrop: 0,
  initializer_range: initializerRange,
  tie_word_embeddings: true,
  torch_dtype: 'float16',
});
