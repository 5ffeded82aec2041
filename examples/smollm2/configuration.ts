import type { GgufMetadata } from './gguf-metadata.ts';

/** What config.json says. */
export function configuration(metadata: GgufMetadata) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: metadata.tokens.length,
    hidden_size: metadata.hiddenSize,
    intermediate_size: metadata.intermediateSize,
    num_hidden_layers: metadata.layers,
    num_attention_heads: metadata.heads,
    num_key_value_heads: metadata.keyValueHeads,
    head_dim: metadata.headSize,
    hidden_act: 'silu',
    max_position_embeddings: metadata.contextLength,
    rms_norm_eps: metadata.epsilon,
    rope_theta: metadata.rotaryBase,
    rope_scaling: null,
    attention_bias: false,
    attention_dropout: 0,
    mlp_bias: false,
    // The file has no weights for a separate head.
    tie_word_embeddings: true,
    torch_dtype: 'float32',
    ...specialIds(metadata),
  };
}

/** What generation_config.json says. */
export function generationConfiguration(metadata: GgufMetadata) {
  return specialIds(metadata);
}

function specialIds({ beginToken, endToken, paddingToken }: GgufMetadata) {
  return { bos_token_id: beginToken, eos_token_id: endToken, pad_token_id: paddingToken };
}
