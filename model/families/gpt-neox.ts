import { z } from 'zod';
import { add, gelu, geluTanh, reshape, slice } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Architecture, BlockInput } from './architecture.ts';
import { attentionOf } from './attention.ts';
import { Modules } from './modules.ts';
import { type Rotary, rotaryFields, rotaryScaling } from './rotary-frequencies.ts';
import { rotation } from './rotation.ts';
import { WeightShapes } from './weight-shapes.ts';

const size = z.number().int().positive();
const activations = { gelu, gelu_new: geluTanh, gelu_pytorch_tanh: geluTanh } as const;

/** config.json of a GPT-NeoX or Pythia, as transformers writes it (GPTNeoXConfig). */
const configSchema = z
  .looseObject({
    vocab_size: size,
    hidden_size: size,
    intermediate_size: size,
    num_hidden_layers: size,
    num_attention_heads: size,
    hidden_act: z.enum(['gelu', 'gelu_new', 'gelu_pytorch_tanh']).default('gelu'),
    max_position_embeddings: size.default(2048),
    layer_norm_eps: z.number().positive().default(1e-5),
    use_parallel_residual: z.boolean().default(true),
    attention_bias: z.boolean().default(true),
    rotary_pct: z.number().positive().max(1).default(0.25),
    rotary_emb_base: z.number().positive().default(10000),
    ...rotaryFields,
    tie_word_embeddings: z.boolean().default(false),
  })
  .transform((json) => {
    const scaling = rotaryScaling(json);
    const headSize = json.hidden_size / json.num_attention_heads;
    const share = z.number().positive().max(1).catch(json.rotary_pct).parse(scaling['partial_rotary_factor']);
    return {
      ...json,
      headSize,
      /** How many values at the start of each head are rotated. */
      rotated: Math.trunc(headSize * share),
      scaling,
    };
  })
  .refine(({ headSize }) => Number.isInteger(headSize), {
    path: ['num_attention_heads'],
    message: 'must divide hidden_size',
  })
  .refine(({ rotated }) => rotated > 0 && rotated % 2 === 0, {
    path: ['rotary_pct'],
    message: 'must make an even number of values of a head',
  });

type GptNeoxConfig = z.output<typeof configSchema>;

/**
 * GPT-NeoX (Black et al. 2022) and Pythia: rotary positions on a part of each head, attention and feed-forward
 * side by side, layer norm, GELU.
 *
 * @throws ZodError where config.json is not one of a GPT-NeoX that we can build
 */
export function gptNeox(configJson: unknown): Architecture {
  const config = configSchema.parse(configJson);
  return {
    family: 'gpt_neox',
    vocabularySize: config.vocab_size,
    contextLength: config.max_position_embeddings,
    baseModelPrefix: 'gpt_neox.',
    ...weightShapes(config),
    tiedHead: config.tie_word_embeddings
      ? { embedding: 'gpt_neox.embed_in.weight', head: 'embed_out.weight' }
      : undefined,
    hiddenSize: config.hidden_size,
    keyValueSizes: { layers: config.num_hidden_layers, ...heads(config) },
    blockPath,
    embeddings: (input) => new Modules(input).embedding(input.inputIds, 'gpt_neox.embed_in'),
    blocks: (input) => blocks(config, input),
    finalNorm: (hidden, weights) =>
      new Modules(weights).layerNorm(hidden, 'gpt_neox.final_layer_norm', normOf(config)),
    logits: (normed, weights) =>
      new Modules(weights).head(normed, {
        tiedTo: config.tie_word_embeddings && 'gpt_neox.embed_in',
        layer: 'embed_out',
      }),
  };
}

const blockPath = (index: number) => `gpt_neox.layers.${index}`;

const normOf = ({ layer_norm_eps }: GptNeoxConfig) => ({ bias: true, epsilon: layer_norm_eps });

const rotaryOf = ({ rotated, scaling, ...config }: GptNeoxConfig): Rotary => ({
  half: rotated / 2,
  base: scaling.rope_theta ?? config.rotary_emb_base,
  contextLength: config.max_position_embeddings,
  scaling,
});

const heads = ({ num_attention_heads, headSize }: GptNeoxConfig) => ({
  heads: num_attention_heads,
  keyValueHeads: num_attention_heads,
  headSize,
});

function weightShapes(config: GptNeoxConfig): WeightShapes {
  const { hidden_size: width, intermediate_size: inner, attention_bias: bias } = config;
  const weights = new WeightShapes();
  weights.set('gpt_neox.embed_in.weight', config.vocab_size, width);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = blockPath(i);
    weights.norm(`${layer}.input_layernorm`, width, true);
    weights.norm(`${layer}.post_attention_layernorm`, width, true);
    weights.linear(`${layer}.attention.query_key_value`, 3 * width, width, bias);
    weights.linear(`${layer}.attention.dense`, width, width, bias);
    weights.linear(`${layer}.mlp.dense_h_to_4h`, inner, width, true);
    weights.linear(`${layer}.mlp.dense_4h_to_h`, width, inner, true);
  }
  weights.norm('gpt_neox.final_layer_norm', width, true);
  if (!config.tie_word_embeddings) weights.linear('embed_out', config.vocab_size, width, false);
  return weights;
}

function blocks(config: GptNeoxConfig, input: BlockInput): (index: number, hidden: Value) => Value {
  const { attention_bias: bias, num_attention_heads, headSize } = config;
  const norm = normOf(config);
  const activation = activations[config.hidden_act];
  const model = new Modules(input);
  const attend = attentionOf(input, heads(config));
  const rotate = rotation(input.positions, rotaryOf(config), {
    headSize,
    contextLength: config.max_position_embeddings,
  });
  const tokens = product(input.positions.shape);
  const joined = (x: Value) => reshape(x, [tokens, num_attention_heads * headSize]);

  return (index, hidden) => {
    const layer = model.at(blockPath(index));
    // Head by head: its query, its key, its value.
    const fused = reshape(
      layer.linear(layer.layerNorm(hidden, 'input_layernorm', norm), 'attention.query_key_value', { bias }),
      [tokens, num_attention_heads, 3 * headSize],
    );
    const [q, k, v] = [0, 1, 2].map((n) => slice(fused, 2, n * headSize, (n + 1) * headSize));
    const mixed = attend(index, rotate(joined(q)), rotate(joined(k)), joined(v));
    const attended = add(hidden, layer.linear(mixed, 'attention.dense', { bias }));

    const normed = layer.layerNorm(
      config.use_parallel_residual ? hidden : attended,
      'post_attention_layernorm',
      norm,
    );
    const inner = activation(layer.linear(normed, 'mlp.dense_h_to_4h', { bias: true }));
    return add(attended, layer.linear(inner, 'mlp.dense_4h_to_h', { bias: true }));
  };
}
