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
import { type LlamaConfig, llamaConfigs } from './llama-config.ts';
import { rotaryFrequencies } from './rotary-frequencies.ts';
import { weightedValues } from './weighted-values.ts';

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
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [vocabularySize, hiddenSize]]]);
  for (let i = 0; i < config.layers; i++) {
    const layer = `model.layers.${i}`;
    const norm = (name: string, size: number) => shapes.set(`${layer}.${name}.weight`, [size]);
    const dense = (name: string, to: number, from: number, bias: boolean) => {
      shapes.set(`${layer}.${name}.weight`, [to, from]);
      if (bias) shapes.set(`${layer}.${name}.bias`, [to]);
    };
    norm('input_layernorm', hiddenSize);
    dense('self_attn.q_proj', heads * headSize, hiddenSize, biases.queryKeyValue);
    dense('self_attn.k_proj', keyValueHeads * headSize, hiddenSize, biases.queryKeyValue);
    dense('self_attn.v_proj', keyValueHeads * headSize, hiddenSize, biases.queryKeyValue);
    dense('self_attn.o_proj', hiddenSize, heads * headSize, biases.output);
    if (config.queryKeyNorm) {
      norm('self_attn.q_norm', headSize);
      norm('self_attn.k_norm', headSize);
    }
    norm('post_attention_layernorm', hiddenSize);
    dense('mlp.gate_proj', intermediateSize, hiddenSize, biases.feedForward);
    dense('mlp.up_proj', intermediateSize, hiddenSize, biases.feedForward);
    dense('mlp.down_proj', hiddenSize, intermediateSize, biases.feedForward);
  }
  shapes.set(FINAL_NORM, [hiddenSize]);
  if (!config.tiedHead) shapes.set(HEAD, [vocabularySize, hiddenSize]);
  return shapes;
}

/** The hidden state stands as [batch · length, hidden size] from the embedding to the head. */
function forward(config: LlamaConfig, { inputIds, positions, weight }: ForwardInput): Value {
  const { epsilon, biases } = config;
  const rotary = rotaryTables(config, inputIds);
  const mask = causalMask(positions, config.heads / config.keyValueHeads);

  let hidden = gatherRows(weight(EMBEDDING), reshape(inputIds, [product(inputIds.shape)]));
  for (let i = 0; i < config.layers; i++) {
    const layer = (name: string) => weight(`model.layers.${i}.${name}`);
    const attended = attention(config, rmsNorm(hidden, layer('input_layernorm.weight'), epsilon), {
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

type LayerWeight = (name: string) => Value;

/** x·Wᵀ, plus the bias where the layer has one. */
function dense(x: Value, layer: LayerWeight, name: string, bias: boolean): Value {
  const y = linear(x, layer(`${name}.weight`));
  return bias ? add(y, layer(`${name}.bias`)) : y;
}

/** SwiGLU (Shazeer 2020): down(silu(gate(x)) · up(x)). */
function feedForward(x: Value, layer: LayerWeight, bias: boolean): Value {
  const gate = dense(x, layer, 'mlp.gate_proj', bias);
  const up = dense(x, layer, 'mlp.up_proj', bias);
  return dense(mul(silu(gate), up), layer, 'mlp.down_proj', bias);
}

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
  { heads, keyValueHeads, headSize, biases, queryKeyNorm, epsilon }: LlamaConfig,
  x: Value,
  { positions, rotary, mask, layer }: AttentionContext,
): Value {
  const [batch, length] = positions.shape;
  const group = heads / keyValueHeads;
  const groupRows = product([group, length]);
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

  const queries = reshape(
    transpose(reshape(rotated('q', heads), [batch, length, keyValueHeads, group, headSize]), [0, 2, 3, 1, 4]),
    [batch, keyValueHeads, groupRows, headSize],
  );
  const perHead = (y: Value) => transpose(reshape(y, [batch, length, keyValueHeads, headSize]), [0, 2, 1, 3]);
  const keys = perHead(rotated('k', keyValueHeads));
  const values = perHead(dense(x, layer, 'self_attn.v_proj', biases.queryKeyValue));

  const scores = matmul(queries, keys, { transposeB: true, alpha: 1 / Math.sqrt(headSize) });
  const mixed = weightedValues(add(scores, mask), values);
  const joined = transpose(reshape(mixed, [batch, keyValueHeads, group, length, headSize]), [0, 3, 1, 2, 4]);
  const flat = reshape(joined, [product([batch, length]), heads * headSize]);
  return dense(flat, layer, 'self_attn.o_proj', biases.output);
}

/** cos and sin of position · frequency, [context length, head size / 2] each. */
function rotaryTables({ contextLength, rotary }: LlamaConfig, { graph }: Value) {
  const { perPosition, amplitude } = rotaryFrequencies(rotary);
  const half = perPosition.length;
  const cos = new Float32Array(contextLength * half);
  const sin = new Float32Array(contextLength * half);
  for (let position = 0; position < contextLength; position++) {
    for (let i = 0; i < half; i++) {
      // transformers rounds the angle to float32.
      const angle = Math.fround(position * perPosition[i]);
      cos[position * half + i] = Math.cos(angle) * amplitude;
      sin[position * half + i] = Math.sin(angle) * amplitude;
    }
  }
  return {
    cos: floatConstant(graph, 'rotary_cos', [contextLength, half], cos),
    sin: floatConstant(graph, 'rotary_sin', [contextLength, half], sin),
  };
}
