import { z } from 'zod';
import { common, consistent, shared, size } from './llama-config.ts';

const share = z.number().positive().max(1);

/** config.json of a StableLM, as transformers writes it (StableLmConfig): LayerNorms, a part of each head rotated. */
export const stablelmConfig = consistent(
  shared
    .extend({
      num_key_value_heads: size.default(32),
      max_position_embeddings: size.default(4096),
      layer_norm_eps: z.number().positive().default(1e-5),
      partial_rotary_factor: share.default(0.25),
      use_qkv_bias: z.boolean().default(false),
      qk_layernorm: z.boolean().default(false),
      use_parallel_residual: z.boolean().default(false),
    })
    .transform(({ partial_rotary_factor, layer_norm_eps, ...json }) => {
      const inside = json.rope_scaling ?? json.rope_parameters;
      const rotated = share.catch(partial_rotary_factor).parse(inside?.['partial_rotary_factor']);
      const { use_parallel_residual: isParallel } = json;
      const config = common(
        { ...json, rms_norm_eps: layer_norm_eps, head_dim: undefined },
        { rotated: (headSize) => Math.trunc(headSize * rotated) },
      );
      return {
        ...config,
        biases: { queryKeyValue: json.use_qkv_bias, output: false, feedForward: false },
        isParallel,
        norms: { ...config.norms, ...(isParallel && { feedForward: {} }) },
        hasLayerNorms: true,
        queryKeyNorm: json.qk_layernorm ? ('of its own' as const) : undefined,
      };
    }),
);
