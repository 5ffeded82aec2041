import { z } from 'zod';
import { add, gelu, geluTanh, slice } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import type { Architecture, BlockInput, TokenInput } from './architecture.ts';
import { attentionOf } from './attention.ts';
import { Modules } from './modules.ts';
import { WeightShapes } from './weight-shapes.ts';

const size = z.number().int().positive();
const activations = { gelu_new: geluTanh, gelu_pytorch_tanh: geluTanh, gelu } as const;

/** config.json of a GPT-2, as transformers writes it (GPT2Config). */
const configSchema = z
  .looseObject({
    vocab_size: size,
    n_positions: size,
    n_embd: size,
    n_layer: size,
    n_head: size,
    n_inner: size.nullish(),
    activation_function: z.enum(['gelu_new', 'gelu_pytorch_tanh', 'gelu']).default('gelu_new'),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    scale_attn_weights: z.literal(true).default(true),
    scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
    add_cross_attention: z.literal(false).default(false),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine((config) => config.n_embd % config.n_head === 0, {
    path: ['n_head'],
    message: 'must divide n_embd',
  });

type Gpt2Config = z.output<typeof configSchema>;

/**
 * GPT-2 (Radford et al. 2019): learnt positions, layer norm before each part, GELU. Its linear layers are
 * stored transposed (Conv1D): weight [in, out].
 *
 * @throws ZodError where config.json is not one of a GPT-2 that we can build
 */
export function gpt2(configJson: unknown): Architecture {
  const config = configSchema.parse(configJson);
  return {
    family: 'gpt2',
    vocabularySize: config.vocab_size,
    contextLength: config.n_positions,
    baseModelPrefix: 'transformer.',
    ...weightShapes(config),
    tiedHead: config.tie_word_embeddings
      ? { embedding: 'transformer.wte.weight', head: 'lm_head.weight' }
      : undefined,
    hiddenSize: config.n_embd,
    keyValueSizes: { layers: config.n_layer, ...heads(config) },
    blockPath,
    embeddings,
    blocks: (input) => blocks(config, input),
    finalNorm: (hidden, weights) =>
      new Modules(weights).layerNorm(hidden, 'transformer.ln_f', normOf(config)),
    logits: (normed, weights) =>
      new Modules(weights).head(normed, {
        tiedTo: config.tie_word_embeddings && 'transformer.wte',
        layer: 'lm_head',
      }),
  };
}

const blockPath = (index: number) => `transformer.h.${index}`;

const normOf = ({ layer_norm_epsilon }: Gpt2Config) => ({ bias: true, epsilon: layer_norm_epsilon });

const heads = ({ n_embd, n_head }: Gpt2Config) => ({
  heads: n_head,
  keyValueHeads: n_head,
  headSize: n_embd / n_head,
});

function weightShapes(config: Gpt2Config): WeightShapes {
  const { n_embd: width, n_inner: inner } = config;
  const weights = new WeightShapes();
  weights.set('transformer.wte.weight', config.vocab_size, width);
  weights.set('transformer.wpe.weight', config.n_positions, width);
  for (let i = 0; i < config.n_layer; i++) {
    const layer = blockPath(i);
    weights.norm(`${layer}.ln_1`, width, true);
    weights.conv1d(`${layer}.attn.c_attn`, width, 3 * width);
    weights.conv1d(`${layer}.attn.c_proj`, width, width);
    weights.norm(`${layer}.ln_2`, width, true);
    weights.conv1d(`${layer}.mlp.c_fc`, width, inner ?? 4 * width);
    weights.conv1d(`${layer}.mlp.c_proj`, inner ?? 4 * width, width);
  }
  weights.norm('transformer.ln_f', width, true);
  if (!config.tie_word_embeddings) weights.linear('lm_head', config.vocab_size, width, false);
  return weights;
}

function embeddings(input: TokenInput): Value {
  const model = new Modules(input, 'transformer');
  return add(model.embedding(input.inputIds, 'wte'), model.embedding(input.positions, 'wpe'));
}

function blocks(config: Gpt2Config, input: BlockInput): (index: number, hidden: Value) => Value {
  const { n_embd: width } = config;
  const norm = normOf(config);
  const activation = activations[config.activation_function];
  const model = new Modules(input);
  const attend = attentionOf(input, heads(config));

  return (index, hidden) => {
    const layer = model.at(blockPath(index));
    const fused = layer.conv1d(layer.layerNorm(hidden, 'ln_1', norm), 'attn.c_attn');
    const [queries, keys, values] = [0, 1, 2].map((n) => slice(fused, 1, n * width, (n + 1) * width));
    const attended = add(hidden, layer.conv1d(attend(index, queries, keys, values), 'attn.c_proj'));
    const inner = activation(layer.conv1d(layer.layerNorm(attended, 'ln_2', norm), 'mlp.c_fc'));
    return add(attended, layer.conv1d(inner, 'mlp.c_proj'));
  };
}
