import { z } from 'zod';
import { common, consistent, shared, size } from './llama-config.ts';

const share = z.number().positive().max(1);

/** What Phi-3's rotary parameters say beside what all may say; before longrope had its name, it was "su" or "yarn". */
const asLongRope = z.preprocess((json) => {
  if (typeof json !== 'object' || json === null) return json;
  const type = Reflect.get(json, 'rope_type') ?? Reflect.get(json, 'type');
  return type === 'su' || type === 'yarn' ? { ...json, rope_type: 'longrope' } : json;
}, shared.shape.rope_parameters);

/** config.json of a Phi-3 or Phi-4, as transformers writes it (Phi3Config). */
export const phi3Config = consistent(
  shared
    .extend({
      max_position_embeddings: size.default(4096),
      original_max_position_embeddings: size.default(4096),
      rms_norm_eps: z.number().positive().default(1e-5),
      rope_parameters: asLongRope,
      rope_scaling: asLongRope,
      partial_rotary_factor: share.nullish(),
      sliding_window: size.nullish(),
      attention_bias: z.literal(false).default(false),
    })
    .transform(({ partial_rotary_factor, sliding_window, ...json }) => {
      const inside = json.rope_scaling ?? json.rope_parameters;
      const rotated = share.catch(partial_rotary_factor ?? 1).parse(inside?.['partial_rotary_factor']);
      const { rotary, ...config } = common(json, { rotated: (headSize) => Math.trunc(headSize * rotated) });
      return {
        ...config,
        isFused: true,
        layerOf: () => ({ rotary, window: sliding_window ?? undefined }),
      };
    })
    .refine(({ layerOf }) => ['default', 'longrope'].includes(layerOf().rotary.scaling.rope_type), {
      path: ['rope_scaling', 'rope_type'],
      message: 'must be "longrope", as Phi-3 has no other',
    }),
);
