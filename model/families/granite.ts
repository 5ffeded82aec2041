import { z } from 'zod';
import { common, consistent, shared } from './llama-config.ts';

const factor = z.number().positive().default(1);

/** config.json of a Granite, as transformers writes it (GraniteConfig): a Llama with four factors. */
export const graniteConfig = consistent(
  shared
    .extend({
      mlp_bias: z.boolean().default(false),
      embedding_multiplier: factor,
      residual_multiplier: factor,
      attention_multiplier: factor,
      logits_scaling: factor,
    })
    .transform((json) => {
      const config = common(json);
      return {
        ...config,
        biases: { ...config.biases, feedForward: json.mlp_bias },
        scale: json.attention_multiplier,
        factors: {
          embedding: json.embedding_multiplier,
          residual: json.residual_multiplier,
          logits: 1 / json.logits_scaling,
        },
      };
    }),
);
