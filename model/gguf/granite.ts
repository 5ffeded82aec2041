import type { ImportedArchitecture } from './imported-architecture.ts';
import { common, llamaNames, pairsOf } from './llama-kind.ts';

export const granite: ImportedArchitecture = {
  ...llamaNames,
  config: (file, metadata) => {
    const { head_dim: headSize, ...config } = common(file, metadata, 'granite');
    // llama.cpp takes it as a switch: Granite 4's layers have no positions.
    if (metadata.optionalBoolean('granite.rope.scaling.finetuned') === false)
      throw metadata.refusal(
        'granite.rope.scaling.finetuned',
        'is false: layers without positions are not supported',
      );
    const factor = (name: string) => metadata.optionalNumber(`granite.${name}`);
    return {
      architectures: ['GraniteForCausalLM'],
      model_type: 'granite',
      ...config,
      head_dim: headSize,
      attention_bias: file.tensors.has('blk.0.attn_q.bias'),
      mlp_bias: file.tensors.has('blk.0.ffn_up.bias'),
      attention_multiplier: factor('attention.scale') || Number(headSize) ** -0.5,
      embedding_multiplier: factor('embedding_scale') || 1,
      residual_multiplier: factor('residual_scale') || 1,
      logits_scaling: factor('logit_scale') || 1,
    };
  },
  reordered: pairsOf('granite'),
};
