import { z } from 'zod';
import { add, gatherRows, gelu, geluTanh, linear, matmul, reshape, slice } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Architecture, ForwardInput } from './architecture.ts';
import { attention } from './attention.ts';
import { causalMask } from './causal-mask.ts';
import { biasedNorm, type LayerWeight, WeightShapes } from './layer-weights.ts';

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

const EMBEDDING = 'transformer.wte.weight';
const POSITIONS = 'transformer.wpe.weight';
const HEAD = 'lm_head.weight';

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
    weights: weightShapes(config),
    logits: (input) => forward(config, input),
  };
}

function weightShapes(config: Gpt2Config): ReadonlyMap<string, readonly number[]> {
  const { n_embd: width, n_inner: inner } = config;
  const weights = new WeightShapes();
  const conv1d = (name: string, from: number, to: number) => {
    weights.set(`${name}.weight`, from, to);
    weights.set(`${name}.bias`, to);
  };
  weights.set(EMBEDDING, config.vocab_size, width);
  weights.set(POSITIONS, config.n_positions, width);
  for (let i = 0; i < config.n_layer; i++) {
    const layer = `transformer.h.${i}`;
    weights.norm(`${layer}.ln_1`, width, true);
    conv1d(`${layer}.attn.c_attn`, width, 3 * width);
    conv1d(`${layer}.attn.c_proj`, width, width);
    weights.norm(`${layer}.ln_2`, width, true);
    conv1d(`${layer}.mlp.c_fc`, width, inner ?? 4 * width);
    conv1d(`${layer}.mlp.c_proj`, inner ?? 4 * width, width);
  }
  weights.norm('transformer.ln_f', width, true);
  if (!config.tie_word_embeddings) weights.set(HEAD, config.vocab_size, width);
  return weights.shapes;
}

function forward(config: Gpt2Config, { inputIds, positions, weight }: ForwardInput): Value {
  const { layer_norm_epsilon: epsilon, n_embd: width, n_head: heads } = config;
  const sizes = { heads, keyValueHeads: heads, headSize: width / heads };
  const activation = activations[config.activation_function];
  const mask = causalMask(positions, 1);
  const tokens = [product(inputIds.shape)];

  let hidden = add(
    gatherRows(weight(EMBEDDING), reshape(inputIds, tokens)),
    gatherRows(weight(POSITIONS), reshape(positions, tokens)),
  );
  for (let i = 0; i < config.n_layer; i++) {
    const layer = (name: string) => weight(`transformer.h.${i}.${name}`);
    const fused = conv1d(biasedNorm(hidden, layer, 'ln_1', epsilon), layer, 'attn.c_attn');
    const [queries, keys, values] = [0, 1, 2].map((n) => slice(fused, 1, n * width, (n + 1) * width));
    const mixed = attention({ queries, keys, values, positions, mask }, sizes);
    hidden = add(hidden, conv1d(mixed, layer, 'attn.c_proj'));
    const inner = activation(conv1d(biasedNorm(hidden, layer, 'ln_2', epsilon), layer, 'mlp.c_fc'));
    hidden = add(hidden, conv1d(inner, layer, 'mlp.c_proj'));
  }
  const last = biasedNorm(hidden, (name) => weight(`transformer.${name}`), 'ln_f', epsilon);
  return linear(last, weight(config.tie_word_embeddings ? EMBEDDING : HEAD));
}

/** x·W + b. */
const conv1d = (x: Value, layer: LayerWeight, name: string): Value =>
  add(matmul(x, layer(`${name}.weight`)), layer(`${name}.bias`));
