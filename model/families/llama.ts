import {
  add,
  gatherRows,
  linear,
  mul,
  reshape,
  rmsNorm,
  rotaryEmbedding,
  silu,
} from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Architecture, ForwardInput } from './architecture.ts';
import { attention } from './attention.ts';
import { causalMask } from './causal-mask.ts';
import { dense, type LayerWeight, WeightShapes } from './layer-weights.ts';
import { type LlamaConfig, llamaConfigs } from './llama-config.ts';
import { type RotaryTables, rotaryTables } from './rotary-tables.ts';

const EMBEDDING = 'model.embed_tokens.weight';
const FINAL_NORM = 'model.norm.weight';
const HEAD = 'lm_head.weight';

/**
 * Llama (Touvron et al. 2023) and those that are built like it: RMSNorm before each part, rotary positions,
 * grouped-query attention, SwiGLU. Qwen adds biases and norms of queries and keys, Mistral a window.
 *
 * @throws ZodError where config.json is not one of a model that we can build
 */
export const llama =
  (modelType: keyof typeof llamaConfigs) =>
  (configJson: unknown): Architecture => {
    const config = llamaConfigs[modelType].parse(configJson);
    return {
      family: modelType,
      vocabularySize: config.vocabularySize,
      contextLength: config.contextLength,
      weights: weightShapes(config),
      logits: (input) => forward(config, input),
    };
  };

function weightShapes(config: LlamaConfig): ReadonlyMap<string, readonly number[]> {
  const { vocabularySize, hiddenSize, intermediateSize, heads, keyValueHeads, headSize, biases } = config;
  const weights = new WeightShapes();
  weights.set(EMBEDDING, vocabularySize, hiddenSize);
  for (let i = 0; i < config.layers; i++) {
    const layer = `model.layers.${i}`;
    weights.norm(`${layer}.input_layernorm`, hiddenSize, false);
    weights.dense(`${layer}.self_attn.q_proj`, heads * headSize, hiddenSize, biases.queryKeyValue);
    weights.dense(`${layer}.self_attn.k_proj`, keyValueHeads * headSize, hiddenSize, biases.queryKeyValue);
    weights.dense(`${layer}.self_attn.v_proj`, keyValueHeads * headSize, hiddenSize, biases.queryKeyValue);
    weights.dense(`${layer}.self_attn.o_proj`, hiddenSize, heads * headSize, biases.output);
    if (config.queryKeyNorm) {
      weights.norm(`${layer}.self_attn.q_norm`, headSize, false);
      weights.norm(`${layer}.self_attn.k_norm`, headSize, false);
    }
    weights.norm(`${layer}.post_attention_layernorm`, hiddenSize, false);
    weights.dense(`${layer}.mlp.gate_proj`, intermediateSize, hiddenSize, biases.feedForward);
    weights.dense(`${layer}.mlp.up_proj`, intermediateSize, hiddenSize, biases.feedForward);
    weights.dense(`${layer}.mlp.down_proj`, hiddenSize, intermediateSize, biases.feedForward);
  }
  weights.set(FINAL_NORM, hiddenSize);
  if (!config.tiedHead) weights.set(HEAD, vocabularySize, hiddenSize);
  return weights.shapes;
}

/** The hidden state stands as [batch · length, hidden size] from the embedding to the head. */
function forward(config: LlamaConfig, { inputIds, positions, weight }: ForwardInput): Value {
  const { epsilon, biases } = config;
  const rotary = rotaryTables(inputIds.graph, config.rotary, config.contextLength);
  const mask = causalMask(positions, config.heads / config.keyValueHeads);

  let hidden = gatherRows(weight(EMBEDDING), reshape(inputIds, [product(inputIds.shape)]));
  for (let i = 0; i < config.layers; i++) {
    const layer = (name: string) => weight(`model.layers.${i}.${name}`);
    const attended = selfAttention(config, rmsNorm(hidden, layer('input_layernorm.weight'), epsilon), {
      positions,
      rotary,
      mask,
      layer,
    });
    hidden = add(hidden, attended);
    const normed = rmsNorm(hidden, layer('post_attention_layernorm.weight'), epsilon);
    hidden = add(hidden, feedForward(normed, layer, biases.feedForward));
  }
  return linear(rmsNorm(hidden, weight(FINAL_NORM), epsilon), weight(config.tiedHead ? EMBEDDING : HEAD));
}

/** SwiGLU (Shazeer 2020): down(silu(gate(x)) · up(x)). */
function feedForward(x: Value, layer: LayerWeight, bias: boolean): Value {
  const gate = dense(x, layer, 'mlp.gate_proj', bias);
  const up = dense(x, layer, 'mlp.up_proj', bias);
  return dense(mul(silu(gate), up), layer, 'mlp.down_proj', bias);
}

interface AttentionContext {
  readonly positions: Value;
  readonly rotary: RotaryTables;
  readonly mask: Value;
  readonly layer: LayerWeight;
}

function selfAttention(
  config: LlamaConfig,
  x: Value,
  { positions, rotary, mask, layer }: AttentionContext,
): Value {
  const { heads, keyValueHeads, headSize, biases, queryKeyNorm, epsilon } = config;
  const [batch, length] = positions.shape;
  const normed = (y: Value, count: number, name: string) =>
    queryKeyNorm
      ? rmsNorm(
          reshape(y, [product([batch, length, count]), headSize]),
          layer(`self_attn.${name}_norm.weight`),
          epsilon,
        )
      : y;
  const rotated = (name: 'q' | 'k', count: number) => {
    const projected = dense(x, layer, `self_attn.${name}_proj`, biases.queryKeyValue);
    const perRow = reshape(normed(projected, count, name), [batch, length, count * headSize]);
    return rotaryEmbedding(perRow, positions, rotary.cos, rotary.sin);
  };

  const queries = rotated('q', heads);
  const keys = rotated('k', keyValueHeads);
  const values = dense(x, layer, 'self_attn.v_proj', biases.queryKeyValue);
  const mixed = attention({ queries, keys, values, positions, mask }, config);
  return dense(mixed, layer, 'self_attn.o_proj', biases.output);
}
