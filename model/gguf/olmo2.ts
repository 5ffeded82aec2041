import type { ImportedArchitecture } from './imported-architecture.ts';
import { common, llamaNames } from './llama-kind.ts';

const { attn_norm: _, ffn_norm: __, ...parts } = llamaNames.blockParts;

/** Norms behind each part of a block alone, and of all heads together. OLMo 3 has the same name, and windows. */
export const olmo2: ImportedArchitecture = {
  ...llamaNames,
  blockParts: {
    ...parts,
    post_attention_norm: 'post_attention_layernorm',
    post_ffw_norm: 'post_feedforward_layernorm',
  },
  config: (file, metadata) => ({
    architectures: ['Olmo2ForCausalLM'],
    model_type: 'olmo2',
    ...common(file, metadata, 'olmo2'),
    attention_bias: file.tensors.has('blk.0.attn_q.bias'),
  }),
};
