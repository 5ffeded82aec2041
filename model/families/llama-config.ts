import { z } from 'zod';
import { type Rotary, rotaryFields, rotaryScaling } from './rotary-frequencies.ts';

/** What a model of Llama's kind is made of. */
export interface LlamaConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly contextLength: number;
  readonly epsilon: number;
  readonly rotary: Rotary;
  readonly tiedHead: boolean;
  /** Which linear layers have a bias. */
  readonly biases: {
    readonly queryKeyValue: boolean;
    readonly output: boolean;
    readonly feedForward: boolean;
  };
  /** Whether each head's queries and keys go through an RMSNorm before they are rotated. */
  readonly queryKeyNorm: boolean;
}

const size = z.number().int().positive();

const shared = z.looseObject({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  // Two names of one function.
  hidden_act: z.literal(['silu', 'swish']).default('silu'),
  max_position_embeddings: size.default(2048),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  ...rotaryFields,
  partial_rotary_factor: z.literal([1, null], 'only 1 is supported: all of a head is rotated').optional(),
  tie_word_embeddings: z.boolean().default(false),
});

/** What transformers takes where MistralConfig, Qwen2Config and Qwen3Config lack a key; null is said, not lacking. */
const mistralDefaults = {
  max_position_embeddings: size.default(131_072),
  num_key_value_heads: size.nullable().default(8),
};
const qwenDefaults = {
  max_position_embeddings: size.default(32_768),
  num_key_value_heads: size.nullable().default(32),
};
const noBias: LlamaConfig['biases'] = { queryKeyValue: false, output: false, feedForward: false };
const noSlidingWindow = z.literal(false).default(false);

function common(json: z.output<typeof shared>): LlamaConfig {
  const heads = json.num_attention_heads;
  const headSize = json.head_dim ?? json.hidden_size / heads;
  const contextLength = json.max_position_embeddings;
  const scaling = rotaryScaling(json);
  const base = scaling.rope_theta ?? json.rope_theta ?? 10000;
  return {
    vocabularySize: json.vocab_size,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    layers: json.num_hidden_layers,
    heads,
    keyValueHeads: json.num_key_value_heads ?? heads,
    headSize,
    contextLength,
    epsilon: json.rms_norm_eps,
    rotary: { half: headSize / 2, base, contextLength, scaling },
    tiedHead: json.tie_word_embeddings,
    biases: noBias,
    queryKeyNorm: false,
  };
}

const consistent = <T extends z.ZodType<LlamaConfig>>(schema: T) =>
  schema
    .refine(({ heads, keyValueHeads }) => heads % keyValueHeads === 0, {
      path: ['num_key_value_heads'],
      message: 'must divide num_attention_heads',
    })
    .refine(({ headSize }) => Number.isInteger(headSize) && headSize % 2 === 0, {
      path: ['head_dim'],
      message: 'hidden_size / num_attention_heads must be an even whole number',
    });

/** config.json by its model_type, as transformers writes it (LlamaConfig, MistralConfig, …). */
export const llamaConfigs = {
  llama: consistent(
    shared
      .extend({ attention_bias: z.boolean().default(false), mlp_bias: z.boolean().default(false) })
      .transform((json) => ({
        ...common(json),
        biases: {
          queryKeyValue: json.attention_bias,
          output: json.attention_bias,
          feedForward: json.mlp_bias,
        },
      })),
  ),
  // The window limits the context length: within it, sliding-window attention is full attention.
  mistral: consistent(
    shared.extend({ ...mistralDefaults, sliding_window: size.nullable().default(4096) }).transform((json) => {
      const config = common(json);
      return {
        ...config,
        contextLength: Math.min(config.contextLength, json.sliding_window ?? config.contextLength),
      };
    }),
  ),
  qwen2: consistent(
    shared
      .extend({ ...qwenDefaults, use_sliding_window: noSlidingWindow })
      .transform((json) => ({ ...common(json), biases: { ...noBias, queryKeyValue: true } })),
  ),
  qwen3: consistent(
    shared
      .extend({
        ...qwenDefaults,
        use_sliding_window: noSlidingWindow,
        head_dim: size.default(128),
        attention_bias: z.boolean().default(false),
      })
      .transform((json) => ({
        ...common(json),
        biases: { queryKeyValue: json.attention_bias, output: json.attention_bias, feedForward: false },
        queryKeyNorm: true,
      })),
  ),
} as const satisfies Readonly<Record<string, z.ZodType<LlamaConfig>>>;
