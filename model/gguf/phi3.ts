import type { GgufFile } from './gguf-file.ts';
import type { ImportedArchitecture } from './imported-architecture.ts';
import { baseOf, llamaNames, sizesOf } from './llama-kind.ts';
import type { Metadata } from './metadata.ts';
import { valuesOf } from './planned-weights.ts';

const [short, long] = ['rope_factors_short.weight', 'rope_factors_long.weight'];

export const phi3: ImportedArchitecture = {
  ...llamaNames,
  blockParts: {
    attn_norm: 'input_layernorm',
    attn_qkv: 'self_attn.qkv_proj',
    attn_output: 'self_attn.o_proj',
    ffn_norm: 'post_attention_layernorm',
    ffn_up: 'mlp.gate_up_proj',
    ffn_down: 'mlp.down_proj',
  },
  partsOfConfig: [short, long],
  config: async (file, metadata) => {
    const { headSize, rotated, ...sizes } = sizesOf(file, metadata, 'phi3', { isPartly: true });
    const original = metadata.optionalNumber('phi3.rope.scaling.original_context_length');
    return {
      architectures: ['Phi3ForCausalLM'],
      model_type: 'phi3',
      ...sizes,
      hidden_act: 'silu',
      rms_norm_eps: metadata.number('phi3.attention.layer_norm_rms_epsilon'),
      // 0 stands for none.
      sliding_window: metadata.optionalNumber('phi3.attention.sliding_window') || null,
      original_max_position_embeddings: original ?? sizes.max_position_embeddings,
      partial_rotary_factor: rotated / headSize,
      rope_theta: baseOf(metadata, 'phi3'),
      rope_scaling: await longRope(file, metadata),
    };
  },
};

/** What the two tensors with factors say; null where there are none. */
async function longRope(file: GgufFile, metadata: Metadata) {
  const key = 'phi3.rope.scaling.type';
  const type = metadata.optionalString(key) ?? 'none';
  if (type !== 'none' && type !== 'longrope')
    throw metadata.refusal(key, `is "${type}"; none and longrope are supported`);
  const amplitude = metadata.optionalNumber('phi3.rope.scaling.attn_factor');
  const [ofShort, ofLong] = [short, long].map((name) => file.tensors.get(name));
  if (ofShort === undefined || ofLong === undefined) {
    if (amplitude === undefined || amplitude === 1) return null;
    throw metadata.refusal('phi3.rope.scaling.attn_factor', `is ${amplitude}, and there are no factors`);
  }
  return {
    rope_type: 'longrope',
    short_factor: [...(await valuesOf(file, ofShort))],
    long_factor: [...(await valuesOf(file, ofLong))],
    ...(amplitude !== undefined && { attention_factor: amplitude }),
  };
}
