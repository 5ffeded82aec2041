import { z } from 'zod';
import { common, consistent, shared } from './llama-config.ts';

/** config.json of an OLMo 2, as transformers writes it (Olmo2Config): norms behind each part, and of queries and keys. */
export const olmo2Config = consistent(
  shared.extend({ rms_norm_eps: z.number().positive().default(1e-5) }).transform((json) => ({
    ...common(json),
    queryKeyNorm: 'of all heads' as const,
    norms: {
      attention: { behind: 'post_attention_layernorm' },
      feedForward: { behind: 'post_feedforward_layernorm' },
    },
  })),
);
