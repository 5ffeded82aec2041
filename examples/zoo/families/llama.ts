import { contextLength, initializerRange, type ModelSize } from './size.ts';

/** config.json of a Llama: RMSNorm, rotary positions, SwiGLU, two heads to a key. */
export const llama = (vocabularySize: number, { hiddenSize, layers, heads }: ModelSize) => ({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: vocabularySize,
  hidden_size: hiddenSize,
  // As Llama: two thirds of 4 × hiddenSize, rounded up to a multiple of 8.
  intermediate_size: 8 * Math.ceil(hiddenSize / 3),
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: heads / 2,
  head_dim: hiddenSize / heads,
  hidden_act: 'silu',
  max_position_embeddings: contextLength,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  rope_scaling: null,
  attention_bias: false,
  attention_dropout: 0,
  mlp_bias: false,
  initializer_range: initializerRange,
  tie_word_embeddings: true,
  torch_dtype: 'float16',
});
