import type { ImportedArchitecture } from './imported-architecture.ts';
import { baseOf, llamaNames, sizesOf } from './llama-kind.ts';
import { scalingOf } from './rotary-scaling.ts';

export const starcoder2: ImportedArchitecture = {
  ...llamaNames,
  blockParts: { ...llamaNames.blockParts, ffn_up: 'mlp.c_fc', ffn_down: 'mlp.c_proj' },
  config: (file, metadata) => {
    const { headSize, rotated, ...sizes } = sizesOf(file, metadata, 'starcoder2');
    if (rotated !== headSize)
      throw metadata.refusal(
        'starcoder2.rope.dimension_count',
        `is ${rotated}, and a head has ${headSize} values`,
      );
    return {
      architectures: ['Starcoder2ForCausalLM'],
      model_type: 'starcoder2',
      ...sizes,
      // A GGUF does not say; llama.cpp computes this one, and no window.
      hidden_act: 'gelu_pytorch_tanh',
      sliding_window: metadata.optionalNumber('starcoder2.attention.sliding_window') ?? null,
      norm_epsilon: metadata.number('starcoder2.attention.layer_norm_epsilon'),
      use_bias: file.tensors.has('blk.0.attn_q.bias'),
      rope_theta: baseOf(metadata, 'starcoder2'),
      rope_scaling: scalingOf(metadata, 'starcoder2'),
    };
  },
};
