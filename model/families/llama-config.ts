import { z } from 'zod';
import type { Experts } from './experts.ts';
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
  readonly tiedHead: boolean;
  readonly activation: Activation;
  /** How layer i attends. */
  readonly layerOf: (index: number) => AttendingLayer;
  /** The experts of layer i; undefined where its feed-forward is one for all tokens. */
  readonly expertsOf: (index: number) => Experts | undefined;
  /** Factor on the products of queries and keys; undefined: 1 / √(head size). */
  readonly scale: number | undefined;
  /** Which linear layers have a bias. */
  readonly biases: {
    readonly queryKeyValue: boolean;
    readonly output: boolean;
    readonly feedForward: boolean;
  };
  /** Whether queries, keys and values are one layer, and gate and up another. */
  readonly isFused: boolean;
  /** Whether the feed-forward has a gate. */
  readonly isGated: boolean;
  /** Whether both parts of a block read the same norm of its input. */
  readonly isParallel: boolean;
  /**
   * Whether queries and keys go through a norm before they are rotated: an RMSNorm of each head or of all heads together,
   * or a LayerNorm that each head has of its own.
   */
  readonly queryKeyNorm: 'of heads' | 'of all heads' | 'of its own' | undefined;
  /** Names of the norms of what goes into the two parts of a block, and of what comes out of them. */
  readonly norms: { readonly attention: Norms; readonly feedForward: Norms };
  /** Whether these norms and the last are LayerNorms, with biases; else RMSNorms. */
  readonly hasLayerNorms: boolean;
  /** Added to the weights of RMSNorms. */
  readonly normOffset: number;
  /** Factors on the embeddings, on what each part adds to the hidden states, and on the logits. */
  readonly factors: { readonly embedding: number; readonly residual: number; readonly logits: number };
  /** Beyond which neither scores of attention nor logits go. */
  readonly softCaps: { readonly scores: number | undefined; readonly logits: number | undefined };
}

export type Activation = 'silu' | 'gelu' | 'geluTanh';

interface Norms {
  readonly before?: string;
  readonly behind?: string;
}

export interface AttendingLayer {
  /** Undefined: its tokens have no positions. */
  readonly rotary: Rotary | undefined;
  /** How many keys a query attends to at most: its own and those before it. */
  readonly window: number | undefined;
}

export const size = z.number().int().positive();

/** What config.json calls the activations; two names of one function each. */
export const activation = z
  .enum(['silu', 'swish', 'gelu', 'gelu_new', 'gelu_pytorch_tanh'])
  .transform((name): Activation => {
    if (name === 'silu' || name === 'swish') return 'silu';
    return name === 'gelu' ? 'gelu' : 'geluTanh';
  });

export const shared = z.looseObject({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: activation.default('silu'),
  max_position_embeddings: size.default(2048),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  ...rotaryFields,
  partial_rotary_factor: z.literal([1, null], 'only 1 is supported: all of a head is rotated').optional(),
  attention_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
});

/** Which layers have a window, where config.json lists them. */
export const layerTypes = z.array(z.enum(['full_attention', 'sliding_attention'])).nullish();

const noBias: LlamaConfig['biases'] = { queryKeyValue: false, output: false, feedForward: false };

/** What config.json says of the rotary embedding of all layers. */
export function rotaryOf(
  json: Pick<z.output<typeof shared>, keyof typeof rotaryFields | 'rope_theta' | 'max_position_embeddings'>,
  rotated: number,
  theta = 10000,
): Rotary {
  const scaling = rotaryScaling(json);
  const base = scaling.rope_theta ?? json.rope_theta ?? theta;
  return { half: rotated / 2, base, contextLength: json.max_position_embeddings, scaling };
}

/** A Llama of these sizes; families change what is different in them. */
export function common(
  json: z.output<typeof shared>,
  { theta, rotated }: { readonly theta?: number; readonly rotated?: (headSize: number) => number } = {},
): LlamaConfig & { readonly rotary: Rotary } {
  const heads = json.num_attention_heads;
  const headSize = json.head_dim ?? json.hidden_size / heads;
  const rotary = rotaryOf(json, rotated?.(headSize) ?? headSize, theta);
  const { scaling, contextLength: longest } = rotary;
  // Beyond its original context, longrope turns all tokens of a text by other angles, those at its beginning too.
  const contextLength =
    scaling.rope_type === 'longrope'
      ? Math.min(longest, scaling.original_max_position_embeddings ?? longest)
      : longest;
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
    tiedHead: json.tie_word_embeddings,
    activation: json.hidden_act,
    rotary,
    layerOf: () => ({ rotary, window: undefined }),
    expertsOf: () => undefined,
    scale: undefined,
    biases: { ...noBias, queryKeyValue: json.attention_bias, output: json.attention_bias },
    isFused: false,
    isGated: true,
    isParallel: false,
    queryKeyNorm: undefined,
    norms: {
      attention: { before: 'input_layernorm' },
      feedForward: { before: 'post_attention_layernorm' },
    },
    hasLayerNorms: false,
    normOffset: 0,
    factors: { embedding: 1, residual: 1, logits: 1 },
    softCaps: { scores: undefined, logits: undefined },
  };
}

/** @throws ZodError where the numbers of a model do not go together */
export const consistent = <T extends z.ZodType<LlamaConfig>>(schema: T) =>
  schema
    .refine(({ heads, keyValueHeads }) => heads % keyValueHeads === 0, {
      path: ['num_key_value_heads'],
      message: 'must divide num_attention_heads',
    })
    .refine(({ headSize }) => Number.isInteger(headSize), {
      path: ['head_dim'],
      message: 'hidden_size / num_attention_heads must be a whole number',
    })
    .refine((config) => rotaries(config).every(({ half }) => Number.isInteger(half)), {
      path: ['head_dim'],
      message:
        'hidden_size / num_attention_heads must be an even whole number, and so must what is rotated of it',
    })
    .refine((config) => rotaries(config).every((rotary) => rotatesItsShare(rotary, config.headSize)), {
      path: ['rope_parameters', 'partial_rotary_factor'],
      message: 'only 1 is supported: all of a head is rotated',
    })
    .refine((config) => rotaries(config).every(hasItsFactors), {
      path: ['rope_scaling', 'short_factor'],
      message: 'must have a number for each pair of values of a head that is rotated',
    });

const rotaries = ({ layers, layerOf }: LlamaConfig): Rotary[] =>
  Array.from({ length: layers }, (_, i) => layerOf(i).rotary ?? []).flat();

const rotatesItsShare = ({ half, scaling }: Rotary, headSize: number): boolean => {
  const share = scaling['partial_rotary_factor'];
  return typeof share !== 'number' || Math.trunc(headSize * share) === 2 * half;
};

const hasItsFactors = ({ half, scaling }: Rotary): boolean =>
  scaling.rope_type !== 'longrope' || scaling.short_factor.length === half;

/** What transformers takes where MistralConfig, Qwen2Config and Qwen3Config lack a key; null is said, not lacking. */
const mistralDefaults = {
  max_position_embeddings: size.default(131_072),
  num_key_value_heads: size.nullable().default(8),
};
const qwenFields = shared.extend({
  max_position_embeddings: size.default(32_768),
  num_key_value_heads: size.nullable().default(32),
  use_sliding_window: z.boolean().default(false),
  sliding_window: size.nullable().default(4096),
  max_window_layers: z.number().int().nonnegative().default(28),
  layer_types: layerTypes,
});

/** Qwen's windows: only where they are asked for, and only in the upper layers. */
function qwen(json: z.output<typeof qwenFields>): LlamaConfig {
  const config = common(json);
  const window = (json.use_sliding_window && json.sliding_window) || undefined;
  const hasWindow = (index: number) =>
    json.layer_types ? json.layer_types[index] === 'sliding_attention' : index >= json.max_window_layers;
  return {
    ...config,
    layerOf: (index) => ({ rotary: config.rotary, window: hasWindow(index) ? window : undefined }),
  };
}

/** config.json by its model_type, as transformers writes it (LlamaConfig, MistralConfig, …). */
export const llamaConfigs = {
  llama: consistent(
    shared.extend({ mlp_bias: z.boolean().default(false) }).transform((json) => {
      const config = common(json);
      return { ...config, biases: { ...config.biases, feedForward: json.mlp_bias } };
    }),
  ),
  mistral: consistent(
    shared
      .extend({ ...mistralDefaults, sliding_window: size.nullable().default(4096) })
      .transform(({ sliding_window, ...json }) => {
        const { rotary, ...config } = common({ ...json, attention_bias: false });
        return { ...config, layerOf: () => ({ rotary, window: sliding_window ?? undefined }) };
      }),
  ),
  qwen2: consistent(
    qwenFields.transform((json) => ({
      ...qwen(json),
      biases: { ...noBias, queryKeyValue: true },
    })),
  ),
  qwen3: consistent(
    qwenFields
      .extend({ head_dim: size.default(128) })
      .transform((json) => ({ ...qwen(json), queryKeyNorm: 'of heads' as const })),
  ),
} as const satisfies Readonly<Record<string, z.ZodType<LlamaConfig>>>;
