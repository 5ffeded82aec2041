import { z } from 'zod';
import {
  activation,
  common,
  consistent,
  type LlamaConfig,
  layerTypes,
  rotaryOf,
  shared,
  size,
} from './llama-config.ts';

const cap = z.number().positive().nullable();

/** What transformers takes where the configurations of all three lack a key. */
const defaults = {
  head_dim: size.default(256),
  tie_word_embeddings: z.boolean().default(true),
  use_bidirectional_attention: z.literal([false, null], 'is not supported').optional(),
};

/** Scaled embeddings, norms of which 1 + weight is the factor. */
const gemmaOf = (config: LlamaConfig): LlamaConfig => ({
  ...config,
  normOffset: 1,
  factors: { ...config.factors, embedding: Math.sqrt(config.hiddenSize) },
});

const later = shared.extend({
  ...defaults,
  num_key_value_heads: size.default(4),
  hidden_activation: activation.default('geluTanh'),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: size.nullable().default(4096),
  layer_types: layerTypes,
});

/** Gemma 2 and 3: norms before and behind each part, and their own factor on the scores. */
const laterOf = (json: z.output<typeof later>) => {
  const { rotary, ...config } = common({ ...json, hidden_act: json.hidden_activation });
  const norms: LlamaConfig['norms'] = {
    attention: { before: 'input_layernorm', behind: 'post_attention_layernorm' },
    feedForward: { before: 'pre_feedforward_layernorm', behind: 'post_feedforward_layernorm' },
  };
  return { rotary, ...gemmaOf(config), norms, scale: json.query_pre_attn_scalar ** -0.5 };
};

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null;

/**
 * Gemma 3 has rotary parameters of its own for each type of layer. Files of before transformers 5 say them elsewhere
 * (Gemma3TextConfig.convert_rope_params_to_dict); rope_scaling is of the layers without a window alone.
 */
function withRotaryOfTypes(json: unknown): unknown {
  if (!isObject(json)) return json;
  const { rope_parameters, rope_scaling, rope_theta, rope_local_base_freq, ...rest } = json;
  const given = isObject(rope_parameters) ? rope_parameters : {};
  const merge = (type: string, base: unknown, fallback: number, scaling?: unknown) => ({
    rope_type: 'default',
    rope_theta: base ?? fallback,
    ...(isObject(given[type]) && given[type]),
    ...(isObject(scaling) && scaling),
  });
  return {
    ...rest,
    rope_parameters: merge('full_attention', rope_theta, 1_000_000, rope_scaling),
    local: { rope_parameters: merge('sliding_attention', rope_local_base_freq, 10_000) },
  };
}

/** config.json by its model_type, as transformers writes it (GemmaConfig, Gemma2Config, Gemma3TextConfig). */
export const gemmaConfigs = {
  gemma: consistent(
    shared
      .extend({
        ...defaults,
        num_key_value_heads: size.default(16),
        max_position_embeddings: size.default(8192),
        // "gelu" of the first releases means the approximation.
        hidden_act: activation.default('geluTanh').transform((name) => (name === 'gelu' ? 'geluTanh' : name)),
      })
      .transform((json) => gemmaOf(common(json))),
  ),
  gemma2: consistent(
    later
      .extend({
        max_position_embeddings: size.default(8192),
        attn_logit_softcapping: cap.default(50),
        final_logit_softcapping: cap.default(30),
      })
      .transform((json) => {
        const { rotary, ...config } = laterOf(json);
        const hasWindow = (index: number) =>
          json.layer_types ? json.layer_types[index] === 'sliding_attention' : index % 2 === 0;
        return {
          ...config,
          softCaps: {
            scores: json.attn_logit_softcapping ?? undefined,
            logits: json.final_logit_softcapping ?? undefined,
          },
          layerOf: (index: number) => ({
            rotary,
            window: hasWindow(index) ? (json.sliding_window ?? undefined) : undefined,
          }),
        };
      }),
  ),
  gemma3_text: consistent(
    z.preprocess(
      withRotaryOfTypes,
      later
        .extend({
          max_position_embeddings: size.default(131_072),
          attn_logit_softcapping: z.null('is not supported').optional(),
          final_logit_softcapping: cap.default(null),
          sliding_window_pattern: size.default(6),
          local: z.looseObject({ rope_parameters: shared.shape.rope_parameters }),
        })
        .transform((json) => {
          const { rotary, ...config } = laterOf(json);
          const local = rotaryOf(
            { ...json.local, max_position_embeddings: json.max_position_embeddings },
            config.headSize,
          );
          const hasWindow = (index: number) =>
            json.layer_types
              ? json.layer_types[index] === 'sliding_attention'
              : (index + 1) % json.sliding_window_pattern !== 0;
          return {
            ...config,
            queryKeyNorm: 'of heads' as const,
            softCaps: { scores: undefined, logits: json.final_logit_softcapping ?? undefined },
            layerOf: (index: number) =>
              hasWindow(index)
                ? { rotary: local, window: json.sliding_window ?? undefined }
                : { rotary, window: undefined },
          };
        }),
    ),
  ),
} as const satisfies Readonly<Record<string, z.ZodType<LlamaConfig>>>;
