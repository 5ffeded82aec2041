import { z } from 'zod';
import { activation, common, consistent, shared, size } from './llama-config.ts';

/** config.json of a StarCoder2, as transformers writes it (Starcoder2Config): LayerNorms, and no gate. */
export const starcoder2Config = consistent(
  shared
    .extend({
      num_key_value_heads: size.default(2),
      hidden_act: activation.default('geluTanh'),
      max_position_embeddings: size.default(4096),
      norm_epsilon: z.number().positive().default(1e-5),
      sliding_window: size.nullish(),
      use_bias: z.boolean().default(true),
      tie_word_embeddings: z.boolean().default(true),
    })
    .transform(({ norm_epsilon, sliding_window, use_bias: bias, ...json }) => {
      const { rotary, ...config } = common({ ...json, rms_norm_eps: norm_epsilon });
      return {
        ...config,
        biases: { queryKeyValue: bias, output: bias, feedForward: bias },
        isGated: false,
        hasLayerNorms: true,
        layerOf: () => ({ rotary, window: sliding_window ?? undefined }),
      };
    }),
);
