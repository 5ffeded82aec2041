import { z } from 'zod';
import {
  add,
  floatConstant,
  gatherRows,
  linear,
  matmul,
  mul,
  reshape,
  rmsNorm,
  rotaryEmbedding,
  silu,
  transpose,
} from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Architecture, ForwardInput } from './architecture.ts';
import { causalMask } from './causal-mask.ts';
import { weightedValues } from './weighted-values.ts';

const unscaled = z
  .null()
  .or(z.looseObject({ rope_type: z.literal('default') }))
  .optional();

/** config.json of a Llama, as transformers writes it (LlamaConfig). */
const configSchema = z
  .looseObject({
    vocab_size: z.number().int().positive(),
    hidden_size: z.number().int().positive(),
    intermediate_size: z.number().int().positive(),
    num_hidden_layers: z.number().int().positive(),
    num_attention_heads: z.number().int().positive(),
    num_key_value_heads: z.number().int().positive().optional(),
    head_dim: z.number().int().positive().nullish(),
    hidden_act: z.literal('silu').default('silu'),
    max_position_embeddings: z.number().int().positive().default(2048),
    rms_norm_eps: z.number().positive().default(1e-6),
    rope_theta: z.number().positive().optional(),
    rope_parameters: z
      .looseObject({ rope_type: z.literal('default'), rope_theta: z.number().positive() })
      .optional(),
    rope_scaling: unscaled,
    attention_bias: z.literal(false).default(false),
    mlp_bias: z.literal(false).default(false),
    tie_word_embeddings: z.boolean().default(false),
  })
  .transform((config) => ({
    vocabularySize: config.vocab_size,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    keyValueHeads: config.num_key_value_heads ?? config.num_attention_heads,
    headSize: config.head_dim ?? config.hidden_size / config.num_attention_heads,
    contextLength: config.max_position_embeddings,
    epsilon: config.rms_norm_eps,
    rotaryBase: config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10000,
    tiedHead: config.tie_word_embeddings,
  }))
  .refine(({ heads, keyValueHeads }) => heads % keyValueHeads === 0, {
    path: ['num_key_value_heads'],
    message: 'must divide num_attention_heads',
  })
  .refine(({ headSize }) => Number.isInteger(headSize) && headSize % 2 === 0, {
    path: ['head_dim'],
    message: 'hidden_size / num_attention_heads must be an even whole number',
  });

type LlamaConfig = z.output<typeof configSchema>;

const EMBEDDING = 'model.embed_tokens.weight';
const FINAL_NORM = 'model.norm.weight';
const HEAD = 'lm_head.weight';

/**
 * Llama (Touvron et al. 2023): RMSNorm before each part, rotary positions, grouped-query attention, SwiGLU.
 *
 * @throws ZodError where config.json is not one of a Llama that we can build
 */
export function llama(configJson: unknown): Architecture {
  const config = configSchema.parse(configJson);
  return {
    family: 'llama',
    vocabularySize: config.vocabularySize,
    contextLength: config.contextLength,
    weights: weightShapes(config),
    logits: (input) => forward(config, input),
  };
}

function weightShapes(config: LlamaConfig): ReadonlyMap<string, readonly number[]> {
  const { vocabularySize, hiddenSize, intermediateSize, heads, keyValueHeads, headSize } = config;
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [vocabularySize, hiddenSize]]]);
  for (let i = 0; i < config.layers; i++) {
    const layer = `model.layers.${i}`;
    shapes.set(`${layer}.input_layernorm.weight`, [hiddenSize]);
    shapes.set(`${layer}.self_attn.q_proj.weight`, [heads * headSize, hiddenSize]);
    shapes.set(`${layer}.self_attn.k_proj.weight`, [keyValueHeads * headSize, hiddenSize]);
    shapes.set(`${layer}.self_attn.v_proj.weight`, [keyValueHeads * headSize, hiddenSize]);
    shapes.set(`${layer}.self_attn.o_proj.weight`, [hiddenSize, heads * headSize]);
    shapes.set(`${layer}.post_attention_layernorm.weight`, [hiddenSize]);
    shapes.set(`${layer}.mlp.gate_proj.weight`, [intermediateSize, hiddenSize]);
    shapes.set(`${layer}.mlp.up_proj.weight`, [intermediateSize, hiddenSize]);
    shapes.set(`${layer}.mlp.down_proj.weight`, [hiddenSize, intermediateSize]);
  }
  shapes.set(FINAL_NORM, [hiddenSize]);
  if (!config.tiedHead) shapes.set(HEAD, [vocabularySize, hiddenSize]);
  return shapes;
}

/** The hidden state stands as [batch · length, hidden size] from the embedding to the head. */
function forward(config: LlamaConfig, { inputIds, positions, weight }: ForwardInput): Value {
  const { epsilon } = config;
  const rotary = rotaryTables(config, inputIds);
  const mask = causalMask(positions, config.heads / config.keyValueHeads);

  let hidden = gatherRows(weight(EMBEDDING), reshape(inputIds, [product(inputIds.shape)]));
  for (let i = 0; i < config.layers; i++) {
    const layer = (name: string) => weight(`model.layers.${i}.${name}.weight`);
    const attended = attention(config, rmsNorm(hidden, layer('input_layernorm'), epsilon), {
      positions,
      rotary,
      mask,
      layer,
    });
    hidden = add(hidden, attended);
    hidden = add(hidden, feedForward(rmsNorm(hidden, layer('post_attention_layernorm'), epsilon), layer));
  }
  return linear(rmsNorm(hidden, weight(FINAL_NORM), epsilon), weight(config.tiedHead ? EMBEDDING : HEAD));
}

type LayerWeight = (name: string) => Value;

/** SwiGLU (Shazeer 2020): down(silu(gate(x)) · up(x)). */
const feedForward = (x: Value, layer: LayerWeight): Value =>
  linear(
    mul(silu(linear(x, layer('mlp.gate_proj'))), linear(x, layer('mlp.up_proj'))),
    layer('mlp.down_proj'),
  );

interface AttentionContext {
  readonly positions: Value;
  readonly rotary: { readonly cos: Value; readonly sin: Value };
  readonly mask: Value;
  readonly layer: LayerWeight;
}

/**
 * Grouped-query attention (Ainslie et al. 2023). The queries of one group stand below each other, so that
 * each key-value head takes part in one product and is never repeated.
 */
function attention(
  { heads, keyValueHeads, headSize }: LlamaConfig,
  x: Value,
  { positions, rotary, mask, layer }: AttentionContext,
): Value {
  const [batch, length] = positions.shape;
  const group = heads / keyValueHeads;
  const groupRows = product([group, length]);
  const rotated = (projection: string, count: number) =>
    rotaryEmbedding(
      reshape(linear(x, layer(projection)), [batch, length, count * headSize]),
      positions,
      rotary.cos,
      rotary.sin,
    );

  const queries = reshape(
    transpose(
      reshape(rotated('self_attn.q_proj', heads), [batch, length, keyValueHeads, group, headSize]),
      [0, 2, 3, 1, 4],
    ),
    [batch, keyValueHeads, groupRows, headSize],
  );
  const perHead = (y: Value) => transpose(reshape(y, [batch, length, keyValueHeads, headSize]), [0, 2, 1, 3]);
  const keys = perHead(rotated('self_attn.k_proj', keyValueHeads));
  const values = perHead(linear(x, layer('self_attn.v_proj')));

  const scores = matmul(queries, keys, { transposeB: true, alpha: 1 / Math.sqrt(headSize) });
  const mixed = weightedValues(add(scores, mask), values);
  const joined = transpose(reshape(mixed, [batch, keyValueHeads, group, length, headSize]), [0, 3, 1, 2, 4]);
  return linear(reshape(joined, [product([batch, length]), heads * headSize]), layer('self_attn.o_proj'));
}

/** cos and sin of position · base^(−2i / head size), [context length, head size / 2] each. */
function rotaryTables({ contextLength, headSize, rotaryBase }: LlamaConfig, { graph }: Value) {
  const half = headSize / 2;
  const cos = new Float32Array(contextLength * half);
  const sin = new Float32Array(contextLength * half);
  for (let position = 0; position < contextLength; position++) {
    for (let i = 0; i < half; i++) {
      // transformers rounds the frequency and the angle to float32.
      const frequency = Math.fround(1 / Math.fround(rotaryBase ** ((2 * i) / headSize)));
      const angle = Math.fround(position * frequency);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return {
    cos: floatConstant(graph, 'rotary_cos', [contextLength, half], cos),
    sin: floatConstant(graph, 'rotary_sin', [contextLength, half], sin),
  };
}
