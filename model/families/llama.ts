import { add, mul, reshape, rotaryEmbedding, silu } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Architecture, BlockInput } from './architecture.ts';
import { attentionOf } from './attention.ts';
import { type LlamaConfig, llamaConfigs } from './llama-config.ts';
import { Modules } from './modules.ts';
import { rotaryTables } from './rotary-tables.ts';
import { WeightShapes } from './weight-shapes.ts';

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
      baseModelPrefix: 'model.',
      ...weightShapes(config),
      tiedHead: config.tiedHead
        ? { embedding: 'model.embed_tokens.weight', head: 'lm_head.weight' }
        : undefined,
      hiddenSize: config.hiddenSize,
      keyValueSizes: config,
      blockPath,
      embeddings: (input) => new Modules(input).embedding(input.inputIds, 'model.embed_tokens'),
      blocks: (input) => blocks(config, input),
      finalNorm: (hidden, weights) => new Modules(weights).rmsNorm(hidden, 'model.norm', config.epsilon),
      logits: (normed, weights) =>
        new Modules(weights).head(normed, {
          tiedTo: config.tiedHead && 'model.embed_tokens',
          layer: 'lm_head',
        }),
    };
  };

const blockPath = (index: number) => `model.layers.${index}`;

function weightShapes(config: LlamaConfig): WeightShapes {
  const { vocabularySize, hiddenSize, intermediateSize, heads, keyValueHeads, headSize, biases } = config;
  const weights = new WeightShapes();
  weights.set('model.embed_tokens.weight', vocabularySize, hiddenSize);
  for (let i = 0; i < config.layers; i++) {
    const layer = blockPath(i);
    weights.norm(`${layer}.input_layernorm`, hiddenSize, false);
    weights.linear(`${layer}.self_attn.q_proj`, heads * headSize, hiddenSize, biases.queryKeyValue);
    weights.linear(`${layer}.self_attn.k_proj`, keyValueHeads * headSize, hiddenSize, biases.queryKeyValue);
    weights.linear(`${layer}.self_attn.v_proj`, keyValueHeads * headSize, hiddenSize, biases.queryKeyValue);
    weights.linear(`${layer}.self_attn.o_proj`, hiddenSize, heads * headSize, biases.output);
    if (config.queryKeyNorm) {
      weights.norm(`${layer}.self_attn.q_norm`, headSize, false);
      weights.norm(`${layer}.self_attn.k_norm`, headSize, false);
    }
    weights.norm(`${layer}.post_attention_layernorm`, hiddenSize, false);
    weights.linear(`${layer}.mlp.gate_proj`, intermediateSize, hiddenSize, biases.feedForward);
    weights.linear(`${layer}.mlp.up_proj`, intermediateSize, hiddenSize, biases.feedForward);
    weights.linear(`${layer}.mlp.down_proj`, hiddenSize, intermediateSize, biases.feedForward);
  }
  weights.norm('model.norm', hiddenSize, false);
  if (!config.tiedHead) weights.linear('lm_head', vocabularySize, hiddenSize, false);
  return weights;
}

function blocks(config: LlamaConfig, input: BlockInput): (index: number, hidden: Value) => Value {
  const { epsilon } = config;
  const model = new Modules(input);
  const attend = attentionOf(input, config);
  const { cos, sin } = rotaryTables(input.positions.graph, config.rotary, config.contextLength);
  const rotate = (x: Value) => flat(rotaryEmbedding(x, input.positions, cos, sin));

  return (index, hidden) => {
    const layer = model.at(blockPath(index));
    const normed = layer.rmsNorm(hidden, 'input_layernorm', epsilon);
    const { queries, keys, values } = projections(config, normed, layer.at('self_attn'), input.positions);
    const mixed = attend(index, rotate(queries), rotate(keys), values);
    const attended = add(hidden, layer.linear(mixed, 'self_attn.o_proj', { bias: config.biases.output }));
    const inner = layer.rmsNorm(attended, 'post_attention_layernorm', epsilon);
    return add(attended, feedForward(config, inner, layer.at('mlp')));
  };
}

/** [batch, length, width] → [tokens, width]. */
const flat = (x: Value) => reshape(x, [product(x.shape.slice(0, 2)), x.shape[2]]);

/** Queries, keys and values before rotation, [batch, length, heads · head size] the former two. */
function projections(config: LlamaConfig, x: Value, attention: Modules, positions: Value) {
  const { heads, keyValueHeads, headSize, biases, queryKeyNorm, epsilon } = config;
  const [batch, length] = positions.shape;
  const project = (name: string) => attention.linear(x, `${name}_proj`, { bias: biases.queryKeyValue });
  const perRow = (name: 'q' | 'k', count: number) => {
    const projected = project(name);
    const normed = queryKeyNorm
      ? attention.rmsNorm(
          reshape(projected, [product([batch, length, count]), headSize]),
          `${name}_norm`,
          epsilon,
        )
      : projected;
    return reshape(normed, [batch, length, count * headSize]);
  };
  return { queries: perRow('q', heads), keys: perRow('k', keyValueHeads), values: project('v') };
}

/** SwiGLU (Shazeer 2020): down(silu(gate(x)) · up(x)). */
function feedForward({ biases }: LlamaConfig, x: Value, mlp: Modules): Value {
  const bias = biases.feedForward;
  const gate = mlp.linear(x, 'gate_proj', { bias });
  return mlp.linear(mul(silu(gate), mlp.linear(x, 'up_proj', { bias })), 'down_proj', { bias });
}
