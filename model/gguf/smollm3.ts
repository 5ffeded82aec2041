import type { ImportedArchitecture } from './imported-architecture.ts';
import { common, llamaNames, pairsOf } from './llama-kind.ts';

export const smollm3: ImportedArchitecture = {
  ...llamaNames,
  config: (file, metadata) => ({
    architectures: ['SmolLM3ForCausalLM'],
    model_type: 'smollm3',
    ...common(file, metadata, 'smollm3'),
    attention_bias: file.tensors.has('blk.0.attn_q.bias'),
    mlp_bias: file.tensors.has('blk.0.ffn_up.bias'),
    // A GGUF does not say; llama.cpp computes with this one.
    no_rope_layer_interval: 4,
    use_sliding_window: false,
  }),
  reordered: pairsOf('smollm3'),
};
