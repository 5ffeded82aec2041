import { z } from 'zod';
import { add, gelu, geluTanh, slice } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import type { Architecture, ForwardInput } from './architecture.ts';
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
 * GPT-2 (Radford et al. 2019): learnt positions, layer norm before each part, GELU. Its linear layers stand
 * transposed in the file (Conv1D): weight [in, out].
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
    keyValueSizes: { layers: config.n_layer, ...heads(config) },
    hiddenStates: (input) => hiddenStates(config, input),
    logits: (hidden, weights) =>
      new Modules(weights).head(hidden, {
        tiedTo: config.tie_word_embeddings && 'transformer.wte',
        layer: 'lm_head',
      }),
  };
}

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
    const layer = `transformer.h.${i}`;
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

function hiddenStates(config: Gpt2Config, input: ForwardInput): Value {
  const { n_embd: width, layer_norm_epsilon: epsilon } = config;
  const norm = { bias: true, epsilon };
  const activation = activations[config.activation_function];
  const model = new Modules(input, 'transformer');
  const attend = attentionOf(input, heads(config));

  let hidden = add(model.embedding(input.inputIds, 'wte'), model.embedding(input.positions, 'wpe'));
  for (let i = 0; i < config.n_layer; i++) {
    const layer = model.at(`h.${i}`);
    const fused = layer.conv1d(layer.layerNorm(hidden, 'ln_1', norm), 'attn.c_attn');
    const [queries, keys, values] = [0, 1, 2].map((n) => slice(fused, 1, n * width, (n + 1) * width));
    hidden = add(hidden, layer.conv1d(attend(i, queries, keys, values), 'attn.c_proj'));
    const inner = activation(layer.conv1d(layer.layerNorm(hidden, 'ln_2', norm), 'mlp.c_fc'));
    hidden = add(hidden, layer.conv1d(inner, 'mlp.c_proj'));
  }
  return model.layerNorm(hidden, 'ln_f', norm);
}
