import { embeddingRows } from './embedding-rows.ts';
import type { GgufFile } from './gguf-file.ts';
import type { ImportedArchitecture } from './imported-architecture.ts';
import type { Metadata } from './metadata.ts';
import { halvesFromPairs } from './reorderings.ts';
import { scalingOf } from './rotary-scaling.ts';

const names = {
  modelParts: { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
  blockParts: {
    attn_norm: 'input_layernorm',
    attn_q: 'self_attn.q_proj',
    attn_k: 'self_attn.k_proj',
    attn_v: 'self_attn.v_proj',
    attn_output: 'self_attn.o_proj',
    attn_q_norm: 'self_attn.q_norm',
    attn_k_norm: 'self_attn.k_norm',
    ffn_norm: 'post_attention_layernorm',
    ffn_gate: 'mlp.gate_proj',
    ffn_up: 'mlp.up_proj',
    ffn_down: 'mlp.down_proj',
  },
  blockPath: (index: string) => `model.layers.${index}`,
} as const;

/** Llama, and Mistral, which llama.cpp does not tell apart but for a window. */
export const llama: ImportedArchitecture = {
  ...names,
  config: (file, metadata) => {
    const window = metadata.optionalNumber('llama.attention.sliding_window');
    const shared = common(file, metadata, 'llama');
    if (window !== undefined) {
      return {
        architectures: ['MistralForCausalLM'],
        model_type: 'mistral',
        ...shared,
        sliding_window: window,
      };
    }
    return {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      ...shared,
      attention_bias: file.tensors.has('blk.0.attn_q.bias'),
      attention_dropout: 0,
      mlp_bias: file.tensors.has('blk.0.ffn_up.bias'),
    };
  },
  // llama.cpp rotates pairs of neighbours in this architecture alone.
  reordered: (part, metadata) => {
    const heads = metadata.number('llama.attention.head_count');
    if (part === 'attn_q') return halvesFromPairs(heads);
    if (part !== 'attn_k') return undefined;
    return halvesFromPairs(metadata.optionalNumber('llama.attention.head_count_kv') ?? heads);
  },
};

export const qwen2: ImportedArchitecture = {
  ...names,
  config: (file, metadata) => {
    refuseWindow(metadata, 'qwen2');
    return { architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', ...common(file, metadata, 'qwen2') };
  },
};

export const qwen3: ImportedArchitecture = {
  ...names,
  config: (file, metadata) => {
    refuseWindow(metadata, 'qwen3');
    return {
      architectures: ['Qwen3ForCausalLM'],
      model_type: 'qwen3',
      ...common(file, metadata, 'qwen3'),
      attention_bias: file.tensors.has('blk.0.attn_q.bias'),
    };
  },
};

function common(file: GgufFile, metadata: Metadata, architecture: string): Record<string, unknown> {
  const key = (name: string) => `${architecture}.${name}`;
  const hiddenSize = metadata.number(key('embedding_length'));
  const heads = metadata.number(key('attention.head_count'));
  const rotated = metadata.optionalNumber(key('rope.dimension_count'));
  const headSize = metadata.optionalNumber(key('attention.key_length')) ?? rotated ?? hiddenSize / heads;
  const valueSize = metadata.optionalNumber(key('attention.value_length')) ?? headSize;
  if (valueSize !== headSize)
    throw metadata.refusal(
      key('attention.value_length'),
      `is ${valueSize}, and keys have ${headSize} values`,
    );
  if ((rotated ?? headSize) !== headSize)
    throw metadata.refusal(key('rope.dimension_count'), `is ${rotated}, and a head has ${headSize} values`);
  return {
    vocab_size: embeddingRows(file),
    hidden_size: hiddenSize,
    intermediate_size: metadata.number(key('feed_forward_length')),
    num_hidden_layers: metadata.number(key('block_count')),
    num_attention_heads: heads,
    num_key_value_heads: metadata.optionalNumber(key('attention.head_count_kv')) ?? heads,
    head_dim: headSize,
    hidden_act: 'silu',
    max_position_embeddings: metadata.number(key('context_length')),
    rms_norm_eps: metadata.number(key('attention.layer_norm_rms_epsilon')),
    rope_theta: metadata.optionalNumber(key('rope.freq_base')) ?? 10_000,
    rope_scaling: scalingOf(metadata, architecture),
  };
}

/** Qwen's window is no part of our families: a file whose window its context never reaches has none. */
function refuseWindow(metadata: Metadata, architecture: string): void {
  const key = `${architecture}.attention.sliding_window`;
  const window = metadata.optionalNumber(key);
  if (window !== undefined && window < metadata.number(`${architecture}.context_length`))
    throw metadata.refusal(key, `is ${window}: attention in a window is not supported`);
}
