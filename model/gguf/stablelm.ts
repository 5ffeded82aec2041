import type { ImportedArchitecture } from './imported-architecture.ts';
import { baseOf, llamaNames, sizesOf } from './llama-kind.ts';
import { scalingOf } from './rotary-scaling.ts';

const { attn_q_norm: _, attn_k_norm: __, ...parts } = llamaNames.blockParts;

export const stablelm: ImportedArchitecture = {
  ...llamaNames,
  blockParts: parts,
  // Each head has a norm of its own.
  partsByRow: {
    attn_q_norm: (head) => `self_attn.q_layernorm.norms.${head}`,
    attn_k_norm: (head) => `self_attn.k_layernorm.norms.${head}`,
  },
  config: (file, metadata) => {
    const { headSize, rotated, ...sizes } = sizesOf(file, metadata, 'stablelm', { isPartly: true });
    const said = metadata.optionalBoolean('stablelm.use_parallel_residual');
    // llama.cpp goes by the norm, whatever the file says.
    const isParallel = !file.tensors.has('blk.0.ffn_norm.weight');
    if (said !== undefined && said !== isParallel)
      throw metadata.refusal(
        'stablelm.use_parallel_residual',
        `is ${said}, and its tensors say ${isParallel}`,
      );
    return {
      architectures: ['StableLmForCausalLM'],
      model_type: 'stablelm',
      ...sizes,
      hidden_act: 'silu',
      layer_norm_eps: metadata.number('stablelm.attention.layer_norm_epsilon'),
      use_qkv_bias: file.tensors.has('blk.0.attn_q.bias'),
      use_parallel_residual: isParallel,
      qk_layernorm: file.tensors.has('blk.0.attn_q_norm.weight'),
      partial_rotary_factor: rotated / headSize,
      rope_theta: baseOf(metadata, 'stablelm'),
      rope_scaling: scalingOf(metadata, 'stablelm'),
    };
  },
};
