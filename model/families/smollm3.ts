import { z } from 'zod';
import { common, consistent, layerTypes, shared, size } from './llama-config.ts';

/** config.json of a SmolLM3, as transformers writes it (SmolLM3Config): every fourth layer has no positions. */
export const smollm3Config = consistent(
  shared
    .extend({
      num_key_value_heads: size.nullable().default(4),
      max_position_embeddings: size.default(32_768),
      mlp_bias: z.boolean().default(false),
      tie_word_embeddings: z.boolean().default(true),
      no_rope_layers: z.array(z.literal([0, 1])).nullish(),
      no_rope_layer_interval: size.default(4),
      use_sliding_window: z.boolean().default(false),
      sliding_window: size.nullish(),
      layer_types: layerTypes,
    })
    .transform((json) => {
      const { rotary, ...config } = common(json, { theta: 2_000_000 });
      const window = (json.use_sliding_window && json.sliding_window) || undefined;
      // 1 where a layer has positions, whatever the name says.
      const hasPositions = (index: number) =>
        json.no_rope_layers
          ? json.no_rope_layers[index] === 1
          : (index + 1) % json.no_rope_layer_interval !== 0;
      const hasWindow = (index: number) =>
        json.layer_types ? json.layer_types[index] === 'sliding_attention' : !hasPositions(index);
      return {
        ...config,
        biases: { ...config.biases, feedForward: json.mlp_bias },
        layerOf: (index: number) => ({
          rotary: hasPositions(index) ? rotary : undefined,
          window: hasWindow(index) ? window : undefined,
        }),
      };
    }),
);
