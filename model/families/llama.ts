import type { z } from 'zod';
import { add, concat, gelu, geluTanh, mul, reshape, silu, slice } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Architecture, BlockInput } from './architecture.ts';
import { type Attend, attentionOf, capped } from './attention.ts';
import { expertWeights, routed } from './experts.ts';
import type { AttendingLayer, LlamaConfig } from './llama-config.ts';
import { Modules } from './modules.ts';
import { rotation } from './rotation.ts';
import { type PlaceWithin, WeightShapes } from './weight-shapes.ts';

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
    const { factors, softCaps } = config;
    const places = new Map<string, PlaceWithin>();
    const { weights, linearLayers } = weightShapes(config, places);
    return {
      family: modelType,
      vocabularySize: config.vocabularySize,
      contextLength: config.contextLength,
      baseModelPrefix: 'model.',
      weights,
      linearLayers,
      placesWithin: places,
      trainingProblem: places.size === 0 ? undefined : 'its experts have no gradient here',
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
      finalNorm: (hidden, weights) => norm(config, new Modules(weights), hidden, 'model.norm'),
      logits: (normed, weights) => {
        const head = { tiedTo: config.tiedHead && 'model.embed_tokens', layer: 'lm_head' } as const;
        const logits = scaled(new Modules(weights).head(normed, head), factors.logits);
        return softCaps.logits === undefined ? logits : capped(logits, softCaps.logits);
      },
    };
  };

const blockPath = (index: number) => `model.layers.${index}`;

function norm({ hasLayerNorms, epsilon, normOffset }: LlamaConfig, modules: Modules, x: Value, name: string) {
  return hasLayerNorms
    ? modules.layerNorm(x, name, { bias: true, epsilon })
    : modules.rmsNorm(x, name, epsilon, normOffset);
}

const activations = { silu, gelu, geluTanh } as const;

const scaled = (x: Value, factor: number): Value => (factor === 1 ? x : mul(x, factor));

/** Layers that attend alike have one name. */
const nameOf = ({ rotary, window }: AttendingLayer): string =>
  `rotary_${rotary?.base ?? 'none'}_${window ?? 'all'}`;

function weightShapes(config: LlamaConfig, places: Map<string, PlaceWithin>): WeightShapes {
  const { vocabularySize, hiddenSize, intermediateSize, heads, keyValueHeads, headSize, biases } = config;
  const [width, keyValueWidth] = [heads * headSize, keyValueHeads * headSize];
  const weights = new WeightShapes();
  weights.set('model.embed_tokens.weight', vocabularySize, hiddenSize);
  for (let i = 0; i < config.layers; i++) {
    const layer = blockPath(i);
    const attention = `${layer}.self_attn`;
    const { attention: ofAttention, feedForward: ofFeedForward } = config.norms;
    const norms = [ofAttention.before, ofAttention.behind, ofFeedForward.before, ofFeedForward.behind];
    for (const name of norms) if (name) weights.norm(`${layer}.${name}`, hiddenSize, config.hasLayerNorms);
    if (config.isFused) {
      weights.linear(`${attention}.qkv_proj`, width + 2 * keyValueWidth, hiddenSize, biases.queryKeyValue);
    } else {
      weights.linear(`${attention}.q_proj`, width, hiddenSize, biases.queryKeyValue);
      weights.linear(`${attention}.k_proj`, keyValueWidth, hiddenSize, biases.queryKeyValue);
      weights.linear(`${attention}.v_proj`, keyValueWidth, hiddenSize, biases.queryKeyValue);
    }
    for (const [name, count] of [
      ['q', heads],
      ['k', keyValueHeads],
    ] as const)
      for (const [norm, size] of normsOfHeads(config, name, count))
        weights.norm(`${attention}.${norm}`, size, false);
    weights.linear(`${attention}.o_proj`, hiddenSize, width, biases.output);
    const experts = config.expertsOf(i);
    if (experts) {
      expertWeights(weights, layer, experts, hiddenSize, places);
      continue;
    }
    const { inner, outer } = feedForwardNames(config);
    const innerSize = config.isGated && config.isFused ? 2 * intermediateSize : intermediateSize;
    for (const name of inner)
      weights.linear(`${layer}.mlp.${name}`, innerSize, hiddenSize, biases.feedForward);
    weights.linear(`${layer}.mlp.${outer}`, hiddenSize, intermediateSize, biases.feedForward);
  }
  weights.norm('model.norm', hiddenSize, config.hasLayerNorms);
  if (!config.tiedHead) weights.linear('lm_head', vocabularySize, hiddenSize, false);
  return weights;
}

/** Names of the linear layers of the feed-forward. */
function feedForwardNames({ isGated, isFused }: LlamaConfig) {
  if (!isGated) return { inner: ['c_fc'], outer: 'c_proj' };
  return { inner: isFused ? ['gate_up_proj'] : ['gate_proj', 'up_proj'], outer: 'down_proj' };
}

/** Names and sizes of the norms of queries or keys. */
function normsOfHeads(
  { queryKeyNorm, headSize }: LlamaConfig,
  name: 'q' | 'k',
  count: number,
): [string, number][] {
  if (queryKeyNorm === undefined) return [];
  if (queryKeyNorm === 'of its own')
    return Array.from({ length: count }, (_, head) => [`${name}_layernorm.norms.${head}`, headSize]);
  return [[`${name}_norm`, queryKeyNorm === 'of heads' ? headSize : count * headSize]];
}

function blocks(config: LlamaConfig, input: BlockInput): (index: number, hidden: Value) => Value {
  const { norms, factors } = config;
  const model = new Modules(input);
  const attention = attentionByLayer(config, input);

  return (index, hidden) => {
    const layer = model.at(blockPath(index));
    const normed = (x: Value, name: string | undefined) => (name ? norm(config, layer, x, name) : x);
    const { attend, rotate } = attention(index);
    const attendTo = (x: Value) => {
      const { queries, keys, values } = projections(config, x, layer.at('self_attn'));
      const mixed = attend(index, rotate(queries), rotate(keys), values);
      return layer.linear(mixed, 'self_attn.o_proj', { bias: config.biases.output });
    };
    if (config.isParallel) {
      const x = normed(hidden, norms.attention.before);
      return add(add(hidden, attendTo(x)), feedForward(config, x, layer.at('mlp')));
    }
    const experts = config.expertsOf(index);
    const feed = (x: Value) =>
      experts
        ? routed(x, layer, experts, {
            name: `layer_${index}`,
            activate: (gate) => activations[config.activation](gate),
          })
        : feedForward(config, x, layer.at('mlp'));
    const part = (x: Value, { before, behind }: (typeof norms)['attention'], compute: (x: Value) => Value) =>
      add(x, scaled(normed(compute(normed(x, before)), behind), factors.residual));
    const attended = part(hidden, norms.attention, attendTo);
    return part(attended, norms.feedForward, feed);
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
    queries: normed(config, project('q', 0, width), 'q', attention),
    keys: normed(config, project('k', width, keyValueWidth), 'k', attention),
    values: project('v', width + keyValueWidth, keyValueWidth),
  };
}

/** The norm of queries or keys, [tokens, heads · head size]. */
function normed(config: LlamaConfig, x: Value, name: 'q' | 'k', attention: Modules): Value {
  const { queryKeyNorm, headSize, epsilon, normOffset } = config;
  if (queryKeyNorm === undefined) return x;
  const count = (x.shape[1] as number) / headSize;
  const norms = normsOfHeads(config, name, count).map(([norm]) => norm);
  if (queryKeyNorm === 'of its own') {
    const heads = norms.map((norm, head) =>
      attention.layerNorm(slice(x, 1, head * headSize, (head + 1) * headSize), norm, {
        bias: false,
        epsilon,
      }),
    );
    return concat(heads as [Value, ...Value[]], 1);
  }
  const perNorm = queryKeyNorm === 'of heads' ? reshape(x, [product([x.shape[0], count]), headSize]) : x;
  return reshape(attention.rmsNorm(perNorm, norms[0], epsilon, normOffset), x.shape);
}

/** SwiGLU (Shazeer 2020), down(silu(gate(x)) · up(x)), or with another activation, or without a gate. */
function feedForward(config: LlamaConfig, x: Value, mlp: Modules): Value {
  const { biases, isFused, isGated, intermediateSize: size, activation } = config;
  const bias = biases.feedForward;
  const { inner, outer } = feedForwardNames(config);
  const layers = inner.map((name) => mlp.linear(x, name, { bias }));
  const [gate, up] =
    isGated && isFused ? [0, 1].map((n) => slice(layers[0], 1, n * size, (n + 1) * size)) : layers;
  const activated = activations[activation](gate);
  return mlp.linear(isGated ? mul(activated, up) : activated, outer, { bias });
}
