import { z } from 'zod';

const positive = z.number().positive();
const positions = z.number().int().positive();

/** The ways of scaling, by rope_type. */
const scalings = [
  z.looseObject({ rope_type: z.literal('default'), rope_theta: positive.optional() }),
  z.looseObject({ rope_type: z.literal('linear'), rope_theta: positive.optional(), factor: positive }),
  z.looseObject({ rope_type: z.literal('dynamic'), rope_theta: positive.optional(), factor: positive }),
  z.looseObject({
    rope_type: z.literal('llama3'),
    rope_theta: positive.optional(),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: positions.optional(),
  }),
  z.looseObject({
    rope_type: z.literal('yarn'),
    rope_theta: positive.optional(),
    // Null: how much longer the context is than the original one.
    factor: positive.nullable(),
    original_max_position_embeddings: positions.optional(),
    attention_factor: positive.nullish(),
    beta_fast: positive.nullish(),
    beta_slow: positive.nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().default(true),
  }),
  z.looseObject({
    rope_type: z.literal('longrope'),
    rope_theta: positive.optional(),
    // Null or left out: how much longer the context is than the original one.
    factor: positive.nullish(),
    original_max_position_embeddings: positions.optional(),
    attention_factor: positive.nullish(),
    short_factor: z.array(positive),
    long_factor: z.array(positive),
  }),
] as const;

/** One way of scaling a rotary embedding; null where an empty object asks for none. */
const scalingSchema = z.preprocess(
  (json) => {
    if (!isObject(json)) return json;
    if (Object.keys(json).length === 0) return null;
    return 'rope_type' in json ? json : { ...json, rope_type: json['type'] ?? 'default' };
  },
  z
    .discriminatedUnion('rope_type', scalings, {
      error: ({ input }) =>
        isObject(input)
          ? `rope_type ${JSON.stringify(input['rope_type'])} is not supported; supported: ${scalings.map(({ shape }) => shape.rope_type.value).join(', ')}`
          : 'must be an object, or null',
    })
    .nullable(),
);

/**
 * What config.json says of a model's rotary embedding beyond its base: rope_parameters, or rope_scaling as transformers
 * wrote it before version 5 and as model cards say that one should add it.
 */
export const rotaryFields = {
  rope_parameters: scalingSchema.optional(),
  rope_scaling: scalingSchema.optional(),
  original_max_position_embeddings: positions.nullish(),
};

/**
 * Which of several places in a config.json counts, as in transformers 5 (convert_rope_params_to_dict and
 * standardize_rope_params): rope_scaling before rope_parameters, and an original context that stands beside them before
 * one inside.
 */
export function rotaryScaling({
  rope_parameters,
  rope_scaling,
  original_max_position_embeddings: outside,
}: z.output<z.ZodObject<typeof rotaryFields>>): RotaryScaling {
  const scaling = rope_scaling ?? rope_parameters ?? { rope_type: 'default' };
  const hasOriginal = ['llama3', 'yarn', 'longrope'].includes(scaling.rope_type);
  return hasOriginal && outside ? { ...scaling, original_max_position_embeddings: outside } : scaling;
}

type RotaryScaling = NonNullable<z.output<typeof scalingSchema>>;
type Llama3Scaling = Extract<RotaryScaling, { rope_type: 'llama3' }>;
type LongScaling = Extract<RotaryScaling, { rope_type: 'longrope' }>;
type YarnScaling = Extract<RotaryScaling, { rope_type: 'yarn' }>;

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null;

/** A model's rotary embedding. */
export interface Rotary {
  /** r, half the size of a head. */
  readonly half: number;
  /** rope_theta. */
  readonly base: number;
  /** max_position_embeddings. */
  readonly contextLength: number;
  readonly scaling: RotaryScaling;
}

/** What the cosines and sines of a position are computed from. */
export interface RotaryFrequencies {
  /**
   * r angles a position, in radians; rounded to float32 as transformers does, which matters at far positions.
   */
  readonly perPosition: Float32Array;
  /** Factor on cosine and sine. */
  readonly amplitude: number;
}

/**
 * base^(−i / r), scaled: as transformers' modeling_rope_utils. Dynamic scaling changes only positions beyond
 * the context length, which our inputs never reach; longrope has other factors for texts beyond the original context,
 * which is the longest that we take of it.
 */
export function rotaryFrequencies({ half, base, contextLength, scaling }: Rotary): RotaryFrequencies {
  const plain = Float32Array.from({ length: half }, (_, i) => 1 / Math.fround(base ** (i / half)));
  switch (scaling.rope_type) {
    case 'default':
    case 'dynamic':
      return { perPosition: plain, amplitude: 1 };
    case 'linear':
      return { perPosition: plain.map((frequency) => frequency / scaling.factor), amplitude: 1 };
    case 'llama3':
      return { perPosition: plain.map(llama3(scaling, contextLength)), amplitude: 1 };
    case 'yarn':
      return yarn(plain, base, contextLength, scaling);
    case 'longrope':
      return longRope(half, base, contextLength, scaling);
  }
}

/**
 * Llama 3.1: wavelengths beyond the original context are stretched, short ones kept, with a smooth
 * transition.
 */
function llama3(
  {
    factor,
    low_freq_factor: low,
    high_freq_factor: high,
    original_max_position_embeddings: original,
  }: Llama3Scaling,
  contextLength: number,
): (frequency: number) => number {
  return (frequency) => {
    const turns = ((original ?? contextLength) * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  };
}

/** LongRoPE (Ding et al. 2024) within the original context: a factor for each frequency, searched for. */
function longRope(
  half: number,
  base: number,
  contextLength: number,
  scaling: LongScaling,
): RotaryFrequencies {
  const original = scaling.original_max_position_embeddings ?? contextLength;
  const factor = scaling.factor ?? contextLength / original;
  const amplitude = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  return {
    perPosition: Float32Array.from(
      { length: half },
      (_, i) => 1 / Math.fround(Math.fround(scaling.short_factor[i]) * Math.fround(base ** (i / half))),
    ),
    amplitude: scaling.attention_factor ?? amplitude,
  };
}

/** YaRN (Peng et al. 2023, section 3.2): a ramp over the dimensions between stretched and plain frequencies. */
function yarn(
  plain: Float32Array,
  base: number,
  contextLength: number,
  scaling: YarnScaling,
): RotaryFrequencies {
  const { beta_fast: fast, beta_slow: slow, truncate } = scaling;
  const original = scaling.original_max_position_embeddings ?? contextLength;
  const factor = scaling.factor ?? contextLength / original;
  const half = plain.length;
  // The dimension that makes this many turns over the original context.
  const dimension = (turns: number) => (half * Math.log(original / (turns * 2 * Math.PI))) / Math.log(base);
  const [first, last] = [dimension(fast || 32), dimension(slow || 1)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, 2 * half - 1);
  const width = high === low ? 0.001 : high - low;
  const perPosition = plain.map((frequency, i) => {
    const stretched = Math.min(Math.max((i - low) / width, 0), 1);
    return (frequency / factor) * stretched + frequency * (1 - stretched);
  });
  return { perPosition, amplitude: yarnAmplitude(factor, scaling) };
}

/** YaRN's attention temperature (section 3.4), with DeepSeek's two further factors where a model has them. */
function yarnAmplitude(factor: number, { attention_factor, mscale, mscale_all_dim }: YarnScaling): number {
  const temperature = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  if (attention_factor) return attention_factor;
  return mscale && mscale_all_dim ? temperature(mscale) / temperature(mscale_all_dim) : temperature(1);
}
