import { z } from 'zod';
import { add, gelu, geluTanh, reshape, slice } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Architecture, BlockInput } from './architecture.ts';
import { attentionOf } from './attention.ts';
import { Modules } from './modules.ts';
import { rotaryFields, rotaryScaling } from './rotary-frequencies.ts';
import { rotation } from './rotation.ts';
import { WeightShapes } from './weight-shapes.ts';

const size = z.number().int().positive();
const activations = { gelu, gelu_new: geluTanh, gelu_pytorch_tanh: geluTanh } as const;

/** config.json of a Falcon, as transformers writes it (FalconConfig). */
const configSchema = z
  .looseObject({
    vocab_size: size,
    hidden_size: size,
    n_embed: size.optional(),
    num_hidden_layers: size,
    num_attention_heads: size,
    num_kv_heads: size.nullish(),
    num_ln_in_parallel_attn: z.literal([1, 2]).nullish(),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    // Its slopes are rounded to bfloat16 together with the positions.
    alibi: z.literal([false, null], 'is not supported: only rotary positions are').optional(),
    new_decoder_architecture: z.boolean().nullish(),
    multi_query: z.boolean().default(true),
    parallel_attn: z.boolean().default(true),
    bias: z.boolean().default(false),
    max_position_embeddings: size.default(2048),
    ffn_hidden_size: size.nullish(),
    activation: z.enum(['gelu', 'gelu_new', 'gelu_pytorch_tanh']).default('gelu'),
    rope_theta: z.number().positive().optional(),
    ...rotaryFields,
    tie_word_embeddings: z.boolean().default(true),
  })
  .transform((json) => {
    const { num_attention_heads: heads, num_kv_heads, new_decoder_architecture: isNew } = json;
    const width = json.n_embed ?? json.hidden_size;
    const scaling = rotaryScaling(json);
    const headSize = width / heads;
    const twoNorms = isNew && (json.num_ln_in_parallel_attn ?? 2) === 2;
    return {
      ...json,
      width,
      heads,
      keyValueHeads: isNew ? (num_kv_heads ?? heads) : json.multi_query ? 1 : heads,
      headSize,
      innerWidth: json.ffn_hidden_size ?? 4 * width,
      isParallel: json.parallel_attn,
      /** Of what goes into attention, and into the feed-forward where that has one of its own. */
      norms: twoNorms
        ? (['ln_attn', 'ln_mlp'] as const)
        : json.parallel_attn
          ? (['input_layernorm'] as const)
          : (['input_layernorm', 'post_attention_layernorm'] as const),
      rotary: {
        half: headSize / 2,
        base: scaling.rope_theta ?? json.rope_theta ?? 10000,
        contextLength: json.max_position_embeddings,
        scaling,
      },
    };
  })
  .refine(({ headSize }) => Number.isInteger(headSize) && headSize % 2 === 0, {
    path: ['num_attention_heads'],
    message: 'hidden_size / num_attention_heads must be an even whole number',
  })
  .refine(({ heads, keyValueHeads }) => heads % keyValueHeads === 0, {
    path: ['num_kv_heads'],
    message: 'must divide num_attention_heads',
  })
  .refine(({ new_decoder_architecture, isParallel }) => isParallel || !new_decoder_architecture, {
    path: ['parallel_attn'],
    message: 'must be true with new_decoder_architecture',
  })
  .refine(({ rotary }) => rotary.scaling.rope_type !== 'longrope', {
    path: ['rope_scaling', 'rope_type'],
    message: '"longrope" is not supported',
  });

type FalconConfig = z.output<typeof configSchema>;

/**
 * Falcon (Almazrouei et al. 2023): one product for queries, keys and values, few of the latter two, attention and
 * feed-forward side by side.
 *
 * @throws ZodError where config.json is not one of a Falcon that we can build
 */
export function falcon(configJson: unknown): Architecture {
  const config = configSchema.parse(configJson);
  const tied = config.tie_word_embeddings;
  return {
    family: 'falcon',
    vocabularySize: config.vocab_size,
    contextLength: config.max_position_embeddings,
    baseModelPrefix: 'transformer.',
    ...weightShapes(config),
    tiedHead: tied ? { embedding: 'transformer.word_embeddings.weight', head: 'lm_head.weight' } : undefined,
    hiddenSize: config.width,
    keyValueSizes: { ...config, layers: config.num_hidden_layers },
    blockPath,
    embeddings: (input) => new Modules(input).embedding(input.inputIds, 'transformer.word_embeddings'),
    blocks: (input) => blocks(config, input),
    finalNorm: (hidden, weights) =>
      new Modules(weights).layerNorm(hidden, 'transformer.ln_f', normOf(config)),
    logits: (normed, weights) =>
      new Modules(weights).head(normed, { tiedTo: tied && 'transformer.word_embeddings', layer: 'lm_head' }),
  };
}

const blockPath = (index: number) => `transformer.h.${index}`;

const normOf = ({ layer_norm_epsilon }: FalconConfig) => ({ bias: true, epsilon: layer_norm_epsilon });

function weightShapes(config: FalconConfig): WeightShapes {
  const { width, heads, keyValueHeads, headSize, innerWidth, bias } = config;
  const weights = new WeightShapes();
  weights.set('transformer.word_embeddings.weight', config.vocab_size, width);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = blockPath(i);
    for (const name of config.norms) weights.norm(`${layer}.${name}`, width, true);
    const fused = (heads + 2 * keyValueHeads) * headSize;
    weights.linear(`${layer}.self_attention.query_key_value`, fused, width, bias);
    weights.linear(`${layer}.self_attention.dense`, width, width, bias);
    weights.linear(`${layer}.mlp.dense_h_to_4h`, innerWidth, width, bias);
    weights.linear(`${layer}.mlp.dense_4h_to_h`, width, innerWidth, bias);
  }
  weights.norm('transformer.ln_f', width, true);
  if (!config.tie_word_embeddings) weights.linear('lm_head', config.vocab_size, width, false);
  return weights;
}

function blocks(config: FalconConfig, input: BlockInput): (index: number, hidden: Value) => Value {
  const { heads, keyValueHeads, headSize, bias, isParallel, norms } = config;
  const norm = normOf(config);
  const activation = activations[config.activation];
  const model = new Modules(input);
  const attend = attentionOf(input, config);
  const contextLength = config.max_position_embeddings;
  const rotate = rotation(input.positions, config.rotary, { headSize, contextLength });
  const tokens = product(input.positions.shape);
  const group = heads / keyValueHeads;

  return (index, hidden) => {
    const layer = model.at(blockPath(index));
    const x = layer.layerNorm(hidden, norms[0], norm);
    // Group by group: the queries of its heads, then its key and its value.
    const fused = reshape(layer.linear(x, 'self_attention.query_key_value', { bias }), [
      tokens,
      keyValueHeads,
      (group + 2) * headSize,
    ]);
    const part = (begin: number, count: number) =>
      reshape(slice(fused, 2, begin * headSize, (begin + count) * headSize), [
        tokens,
        keyValueHeads * count * headSize,
      ]);
    const mixed = attend(index, rotate(part(0, group)), rotate(part(group, 1)), part(group + 1, 1));
    const attended = add(hidden, layer.linear(mixed, 'self_attention.dense', { bias }));
    const [, ownNorm] = norms;
    const inner = ownNorm ? layer.layerNorm(isParallel ? hidden : attended, ownNorm, norm) : x;
    const activated = activation(layer.linear(inner, 'mlp.dense_h_to_4h', { bias }));
    return add(attended, layer.linear(activated, 'mlp.dense_4h_to_h', { bias }));
  };
}
