import { z } from 'zod';
import {
  add,
  cast,
  floatConstant,
  gelu,
  greaterOrEqual,
  mul,
  reshape,
  slice,
  where,
} from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import type { Architecture, BlockInput } from './architecture.ts';
import { attentionOf } from './attention.ts';
import { Modules } from './modules.ts';
import { WeightShapes } from './weight-shapes.ts';

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
    baseModelPrefix: 'transformer.',
    ...weightShapes(config),
    tiedHead: config.tie_word_embeddings
      ? { embedding: 'transformer.wte.weight', head: 'lm_head.weight' }
      : undefined,
    hiddenSize: config.d_model,
    keyValueSizes: { layers: config.n_layers, ...heads(config) },
    blockPath,
    embeddings: (input) => new Modules(input).embedding(input.inputIds, 'transformer.wte'),
    blocks: (input) => blocks(config, input),
    finalNorm: (hidden, weights) =>
      new Modules(weights).layerNorm(hidden, 'transformer.norm_f', normOf(config)),
    logits: (normed, weights) =>
      new Modules(weights).head(normed, {
        tiedTo: config.tie_word_embeddings && 'transformer.wte',
        layer: 'lm_head',
      }),
  };
}

const blockPath = (index: number) => `transformer.blocks.${index}`;

const normOf = ({ layer_norm_epsilon }: MptConfig) => ({ bias: false, epsilon: layer_norm_epsilon });

const heads = ({ d_model, n_heads }: MptConfig) => ({
  heads: n_heads,
  keyValueHeads: n_heads,
  headSize: d_model / n_heads,
});

function weightShapes(config: MptConfig): WeightShapes {
  const { d_model: width, expansion_ratio: ratio } = config;
  const weights = new WeightShapes();
  weights.set('transformer.wte.weight', config.vocab_size, width);
  for (let i = 0; i < config.n_layers; i++) {
    const layer = blockPath(i);
    weights.norm(`${layer}.norm_1`, width, false);
    weights.linear(`${layer}.attn.Wqkv`, 3 * width, width, false);
    weights.linear(`${layer}.attn.out_proj`, width, width, false);
    weights.norm(`${layer}.norm_2`, width, false);
    weights.linear(`${layer}.ffn.up_proj`, ratio * width, width, false);
    weights.linear(`${layer}.ffn.down_proj`, width, ratio * width, false);
  }
  weights.norm('transformer.norm_f', width, false);
  if (!config.tie_word_embeddings) weights.linear('lm_head', config.vocab_size, width, false);
  return weights;
}

function blocks(config: MptConfig, input: BlockInput): (index: number, hidden: Value) => Value {
  const { d_model: width, n_heads } = config;
  const { clip_qkv: bound } = config.attn_config;
  const norm = normOf(config);
  const model = new Modules(input);
  const attend = attentionOf(input, heads(config), {
    bias: (keyPositions) => alibi(keyPositions, n_heads),
  });

  return (index, hidden) => {
    const layer = model.at(blockPath(index));
    const projected = layer.linear(layer.layerNorm(hidden, 'norm_1', norm), 'attn.Wqkv');
    const fused = bound ? clip(projected, bound) : projected;
    const [queries, keys, values] = [0, 1, 2].map((n) => slice(fused, 1, n * width, (n + 1) * width));
    const attended = add(hidden, layer.linear(attend(index, queries, keys, values), 'attn.out_proj'));
    const inner = layer.linear(layer.layerNorm(attended, 'norm_2', norm), 'ffn.up_proj');
    return add(attended, layer.linear(gelu(inner), 'ffn.down_proj'));
  };
}

/** x between −bound and bound. */
const clip = (x: Value, bound: number): Value => {
  const below = where(greaterOrEqual(x, bound), bound, x);
  return where(greaterOrEqual(-bound, below), -bound, below);
};

/**
 * ALiBi (Press et al. 2022): slope · position of the key. Softmax ignores what is the same for all keys of a
 * query, so the key's position does as well as its distance.
 *
 * @param keyPositions int64 [batch, keys]
 * @returns float32 [batch, heads, keys]
 */
function alibi(keyPositions: Value, heads: number): Value {
  const [batch, keys] = keyPositions.shape;
  const slopes = floatConstant(keyPositions.graph, 'alibi_slopes', [heads, 1], alibiSlopes(heads));
  return mul(cast(reshape(keyPositions, [batch, 1, keys]), 'float32'), slopes);
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
