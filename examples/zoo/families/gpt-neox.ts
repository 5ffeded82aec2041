import { contextLength, initializerRange, type ModelSize } from './size.ts';

/**
 * config.json of a GPT-NeoX: layer norm and linear layers with biases, attention and feed-forward side by side,
 * a quarter of each head rotated, GELU. Its head is tied, unlike that of Pythia: it would be a quarter of the model.
 */
export const gptNeox = (vocabularySize: number, { hiddenSize, layers, heads }: ModelSize) => ({
  architectures: ['GPTNeoXForCausalLM'],
  model_type: 'gpt_neox',
  vocab_size: vocabularySize,
  hidden_size: hiddenSize,
  intermediate_size: 4 * hiddenSize,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  hidden_act: 'gelu',
  max_position_embeddings: contextLength,
  layer_norm_eps: 1e-5,
  use_parallel_residual: true,
  attention_bias: true,
  attention_dropout: 0,
  hidden_dropout: 0,
  rotary_pct: 0.25,
  rotary_emb_base: 10_000,
  initializer_range: initializerRange,
  tie_word_embeddings: true,
  torch_dtype: 'float16',
});
