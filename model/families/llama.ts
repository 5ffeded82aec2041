import type { z } from 'zod';
import { add, gelu, geluTanh, mul, reshape, silu, slice } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Architecture, BlockInput } from './architecture.ts';
import { type Attend, attentionOf, capped } from './attention.ts';
import type { AttendingLayer, LlamaConfig } from './llama-config.ts';
import { Modules } from './modules.ts';
import { rotation } from './rotation.ts';
import { WeightShapes } from './weight-shapes.ts';

/**
 * Llama (Touvron et al. 2023) and those that are built like it: RMSNorm, rotary positions, grouped-query attention, a
 * gated feed-forward. What the others have of their own is in their configurations.
 *
 * @param schema reads the config.json of the family
 * @returns what throws a ZodError where config.json is not one of a model that we can build
 */
export const llama =
  (modelType: string, schema: z.ZodType<LlamaConfig>) =>
  (configJson: unknown): Architecture => {
    const config = schema.parse(configJson);
    const { epsilon, normOffset, factors, softCaps } = config;
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
      kindOfBlock: (index) => nameOf(config.layerOf(index)),
      embeddings: (input) =>
        scaled(new Modules(input).embedding(input.inputIds, 'model.embed_tokens'), factors.embedding),
      blocks: (input) => blocks(config, input),
      finalNorm: (hidden, weights) => new Modules(weights).rmsNorm(hidden, 'model.norm', epsilon, normOffset),
      logits: (normed, weights) => {
        const head = { tiedTo: config.tiedHead && 'model.embed_tokens', layer: 'lm_head' } as const;
        const logits = scaled(new Modules(weights).head(normed, head), factors.logits);
        return softCaps.logits === undefined ? logits : capped(logits, softCaps.logits);
      },
    };
  };

const blockPath = (index: number) => `model.layers.${index}`;

const activations = { silu, gelu, geluTanh } as const;

const scaled = (x: Value, factor: number): Value => (factor === 1 ? x : mul(x, factor));

/** Layers that attend alike have one name. */
const nameOf = ({ rotary, window }: AttendingLayer): string =>
  `rotary_${rotary?.base ?? 'none'}_${window ?? 'all'}`;

function weightShapes(config: LlamaConfig): WeightShapes {
  const { vocabularySize, hiddenSize, intermediateSize, heads, keyValueHeads, headSize, biases } = config;
  const [width, keyValueWidth] = [heads * headSize, keyValueHeads * headSize];
  const weights = new WeightShapes();
  weights.set('model.embed_tokens.weight', vocabularySize, hiddenSize);
  for (let i = 0; i < config.layers; i++) {
    const layer = blockPath(i);
    const attention = `${layer}.self_attn`;
    const { attention: ofAttention, feedForward: ofFeedForward } = config.norms;
    const norms = [ofAttention.before, ofAttention.behind, ofFeedForward.before, ofFeedForward.behind];
    for (const name of norms) if (name) weights.norm(`${layer}.${name}`, hiddenSize, false);
    if (config.isFused) {
      weights.linear(`${attention}.qkv_proj`, width + 2 * keyValueWidth, hiddenSize, biases.queryKeyValue);
      weights.linear(`${layer}.mlp.gate_up_proj`, 2 * intermediateSize, hiddenSize, biases.feedForward);
    } else {
      weights.linear(`${attention}.q_proj`, width, hiddenSize, biases.queryKeyValue);
      weights.linear(`${attention}.k_proj`, keyValueWidth, hiddenSize, biases.queryKeyValue);
      weights.linear(`${attention}.v_proj`, keyValueWidth, hiddenSize, biases.queryKeyValue);
      weights.linear(`${layer}.mlp.gate_proj`, intermediateSize, hiddenSize, biases.feedForward);
      weights.linear(`${layer}.mlp.up_proj`, intermediateSize, hiddenSize, biases.feedForward);
    }
    if (config.queryKeyNorm) {
      const ofHead = config.queryKeyNorm === 'of heads';
      weights.norm(`${attention}.q_norm`, ofHead ? headSize : width, false);
      weights.norm(`${attention}.k_norm`, ofHead ? headSize : keyValueWidth, false);
    }
    weights.linear(`${attention}.o_proj`, hiddenSize, width, biases.output);
    weights.linear(`${layer}.mlp.down_proj`, hiddenSize, intermediateSize, biases.feedForward);
  }
  weights.norm('model.norm', hiddenSize, false);
  if (!config.tiedHead) weights.linear('lm_head', vocabularySize, hiddenSize, false);
  return weights;
}

function blocks(config: LlamaConfig, input: BlockInput): (index: number, hidden: Value) => Value {
  const { epsilon, normOffset, norms, factors } = config;
  const model = new Modules(input);
  const attention = attentionByLayer(config, input);

  return (index, hidden) => {
    const layer = model.at(blockPath(index));
    const part = (name: 'attention' | 'feedForward', x: Value, compute: (x: Value) => Value) => {
      const { before, behind } = norms[name];
      const computed = compute(before ? layer.rmsNorm(x, before, epsilon, normOffset) : x);
      const added = behind ? layer.rmsNorm(computed, behind, epsilon, normOffset) : computed;
      return add(x, scaled(added, factors.residual));
    };
    const { attend, rotate } = attention(index);
    const attended = part('attention', hidden, (x) => {
      const { queries, keys, values } = projections(config, x, layer.at('self_attn'));
      const mixed = attend(index, rotate(queries), rotate(keys), values);
      return layer.linear(mixed, 'self_attn.o_proj', { bias: config.biases.output });
    });
    return part('feedForward', attended, (x) => feedForward(config, x, layer.at('mlp')));
  };
}

/** How each layer attends, and turns queries and keys to their positions; layers of one kind share what is made for it. */
function attentionByLayer(config: LlamaConfig, input: BlockInput) {
  const { headSize, contextLength, scale, softCaps } = config;
  const kinds = new Map<string, { attend: Attend; rotate: (x: Value) => Value }>();
  return (index: number) => {
    const layer = config.layerOf(index);
    const name = nameOf(layer);
    const known = kinds.get(name);
    if (known) return known;
    const { rotary } = layer;
    // A window as long as the context hides nothing.
    const window = layer.window !== undefined && layer.window < contextLength ? layer.window : undefined;
    const kind = {
      attend: attentionOf(input, config, { scale, softCap: softCaps.scores, window }),
      rotate: rotary ? rotation(input.positions, rotary, { headSize, contextLength, name }) : (x: Value) => x,
    };
    kinds.set(name, kind);
    return kind;
  };
}

/** Queries, keys and values before rotation, [tokens, heads · head size]. */
function projections(config: LlamaConfig, x: Value, attention: Modules) {
  const { heads, keyValueHeads, headSize, biases, isFused } = config;
  const [width, keyValueWidth] = [heads * headSize, keyValueHeads * headSize];
  const bias = biases.queryKeyValue;
  const fused = isFused ? attention.linear(x, 'qkv_proj', { bias }) : undefined;
  const project = (name: 'q' | 'k' | 'v', begin: number, size: number) =>
    fused ? slice(fused, 1, begin, begin + size) : attention.linear(x, `${name}_proj`, { bias });
  return {
    queries: normOfHeads(config, project('q', 0, width), 'q_norm', attention),
    keys: normOfHeads(config, project('k', width, keyValueWidth), 'k_norm', attention),
    values: project('v', width + keyValueWidth, keyValueWidth),
  };
}

function normOfHeads(
  { queryKeyNorm, headSize, epsilon, normOffset }: LlamaConfig,
  x: Value,
  name: string,
  attention: Modules,
): Value {
  if (queryKeyNorm === undefined) return x;
  const perNorm =
    queryKeyNorm === 'of heads'
      ? reshape(x, [product([x.shape[0], (x.shape[1] as number) / headSize]), headSize])
      : x;
  return reshape(attention.rmsNorm(perNorm, name, epsilon, normOffset), x.shape);
}

/** SwiGLU (Shazeer 2020), down(silu(gate(x)) · up(x)), or with another activation. */
function feedForward(
  { biases, isFused, intermediateSize, activation }: LlamaConfig,
  x: Value,
  mlp: Modules,
): Value {
  const bias = biases.feedForward;
  const fused = isFused ? mlp.linear(x, 'gate_up_proj', { bias }) : undefined;
  const half = (name: string, n: number) =>
    fused ? slice(fused, 1, n * intermediateSize, (n + 1) * intermediateSize) : mlp.linear(x, name, { bias });
  const gate = activations[activation](half('gate_proj', 0));
  return mlp.linear(mul(gate, half('up_proj', 1)), 'down_proj', { bias });
}
