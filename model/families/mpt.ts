import { z } from 'zod';
import {
  add,
  cast,
  floatConstant,
  gatherRows,
  gelu,
  greaterOrEqual,
  layerNorm,
  linear,
  mul,
  reshape,
  slice,
  where,
} from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Architecture, ForwardInput } from './architecture.ts';
import { attention } from './attention.ts';
import { causalMask } from './causal-mask.ts';
import { WeightShapes } from './layer-weights.ts';

const size = z.number().int().positive();

/** config.json of an MPT, as transformers writes it (MptConfig). */
const configSchema = z
  .looseObject({
    vocab_size: size,
    d_model: size,
    n_heads: size,
    n_layers: size,
    // transformers builds no other.
    expansion_ratio: z.literal(4).default(4),
    max_seq_len: size.default(2048),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    no_bias: z.literal(true).default(true),
    tie_word_embeddings: z.boolean().default(true),
    attn_config: z
      .looseObject({
        attn_type: z.literal('multihead_attention').default('multihead_attention'),
        alibi: z.literal(true).default(true),
        // transformers builds no other.
        alibi_bias_max: z.literal(8).default(8),
        clip_qkv: z.number().nonnegative().nullish(),
        qk_ln: z.literal(false).default(false),
        prefix_lm: z.literal(false).default(false),
        softmax_scale: z.null().default(null),
      })
      .prefault({}),
  })
  .refine((config) => config.d_model % config.n_heads === 0, {
    path: ['n_heads'],
    message: 'must divide d_model',
  });

type MptConfig = z.output<typeof configSchema>;

const EMBEDDING = 'transformer.wte.weight';
const FINAL_NORM = 'transformer.norm_f.weight';
const HEAD = 'lm_head.weight';

/**
 * MPT (MosaicML 2023): ALiBi instead of positions, layer norm without bias, one product for queries, keys and
 * values, clipped, and GELU.
 *
 * @throws ZodError where config.json is not one of an MPT that we can build
 */
export function mpt(configJson: unknown): Architecture {
  const config = configSchema.parse(configJson);
  return {
    family: 'mpt',
    vocabularySize: config.vocab_size,
    contextLength: config.max_seq_len,
    weights: weightShapes(config),
    logits: (input) => forward(config, input),
  };
}

function weightShapes(config: MptConfig): ReadonlyMap<string, readonly number[]> {
  const { d_model: width, expansion_ratio: ratio } = config;
  const weights = new WeightShapes();
  weights.set(EMBEDDING, config.vocab_size, width);
  for (let i = 0; i < config.n_layers; i++) {
    const layer = `transformer.blocks.${i}`;
    weights.norm(`${layer}.norm_1`, width, false);
    weights.dense(`${layer}.attn.Wqkv`, 3 * width, width, false);
    weights.dense(`${layer}.attn.out_proj`, width, width, false);
    weights.norm(`${layer}.norm_2`, width, false);
    weights.dense(`${layer}.ffn.up_proj`, ratio * width, width, false);
    weights.dense(`${layer}.ffn.down_proj`, width, ratio * width, false);
  }
  weights.set(FINAL_NORM, width);
  if (!config.tie_word_embeddings) weights.set(HEAD, config.vocab_size, width);
  return weights.shapes;
}

function forward(config: MptConfig, { inputIds, positions, weight }: ForwardInput): Value {
  const { layer_norm_epsilon: epsilon, d_model: width, n_heads: heads } = config;
  const { clip_qkv: bound } = config.attn_config;
  const sizes = { heads, keyValueHeads: heads, headSize: width / heads };
  const mask = add(causalMask(positions, 1), alibi(positions, heads));

  let hidden = gatherRows(weight(EMBEDDING), reshape(inputIds, [product(inputIds.shape)]));
  for (let i = 0; i < config.n_layers; i++) {
    const layer = (name: string) => weight(`transformer.blocks.${i}.${name}.weight`);
    const projected = linear(layerNorm(hidden, layer('norm_1'), undefined, epsilon), layer('attn.Wqkv'));
    const fused = bound ? clip(projected, bound) : projected;
    const [queries, keys, values] = [0, 1, 2].map((n) => slice(fused, 1, n * width, (n + 1) * width));
    const mixed = attention({ queries, keys, values, positions, mask }, sizes);
    hidden = add(hidden, linear(mixed, layer('attn.out_proj')));
    const inner = linear(layerNorm(hidden, layer('norm_2'), undefined, epsilon), layer('ffn.up_proj'));
    hidden = add(hidden, linear(gelu(inner), layer('ffn.down_proj')));
  }
  const last = layerNorm(hidden, weight(FINAL_NORM), undefined, epsilon);
  return linear(last, weight(config.tie_word_embeddings ? EMBEDDING : HEAD));
}

/** x between −bound and bound. */
const clip = (x: Value, bound: number): Value => {
  const below = where(greaterOrEqual(x, bound), bound, x);
  return where(greaterOrEqual(-bound, below), -bound, below);
};

/**
 * ALiBi (Press et al. 2022): slope · position of the key. Softmax takes no notice of what is the same for all
 * keys of a query, so the distance and the position count alike.
 *
 * @param positions int64 [batch, length]
 * @returns float32 [batch, heads, 1, length]
 */
function alibi(positions: Value, heads: number): Value {
  const [batch, length] = positions.shape;
  const slopes = floatConstant(positions.graph, 'alibi_slopes', [heads, 1, 1], alibiSlopes(heads));
  return mul(cast(reshape(positions, [batch, 1, 1, length]), 'float32'), slopes);
}

/** Geometric from 2^(−8/n) to 2^(−8); where the heads are no power of two, every second one of the next power. */
function alibiSlopes(heads: number): Float32Array<ArrayBuffer> {
  const powerOfTwo = 2 ** Math.ceil(Math.log2(heads));
  const all = Float32Array.from({ length: powerOfTwo }, (_, i) => 2 ** (-(i + 1) * (8 / powerOfTwo)));
  if (powerOfTwo === heads) return all;
  const odd = all.filter((_, i) => i % 2 === 1);
  const even = all.filter((_, i) => i % 2 === 0);
  return Float32Array.from([...odd, ...even].slice(0, heads));
}
