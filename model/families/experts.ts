import {
  concat,
  div,
  gatherRows,
  mul,
  orderByExpert,
  reshape,
  softmax,
  splitRows,
  sum,
  topK,
} from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Modules } from './modules.ts';
import type { PlaceWithin, WeightShapes } from './weight-shapes.ts';

/** Feed-forwards of which a router gives each token to a few. */
export interface Experts {
  readonly count: number;
  /** How many a token is given to. */
  readonly perToken: number;
  /** Of each. */
  readonly intermediateSize: number;
  /** Whether the weights of a token's experts sum to 1; else they are what the router gives them among all experts. */
  readonly isNormalised: boolean;
  /** What a layer's router and experts are called. */
  readonly names: ExpertNames;
}

interface ExpertNames {
  /** The module of a layer that has them. */
  readonly module: string;
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

/** Where transformers 5 has the experts of every family, with the router beside them, if it writes them as it holds them. */
const together = { module: 'mlp', gateUp: 'experts.gate_up_proj', down: 'experts.down_proj' } as const;

/**
 * Adds the weights of a layer's experts.
 *
 * @param places is told where they lie in files that hold all experts of a layer in one tensor: gate and up
 *   [experts, 2 · inner, hidden size], down [experts, hidden size, inner]
 */
export function expertWeights(
  weights: WeightShapes,
  layer: string,
  { count, intermediateSize: inner, names }: Experts,
  hiddenSize: number,
  places: Map<string, PlaceWithin>,
): void {
  const module = `${layer}.${names.module}`;
  const held = `${layer}.${together.module}`;
  weights.linear(`${module}.gate`, count, hiddenSize, false);
  places.set(`${module}.gate.weight`, { tensor: `${held}.gate.weight`, begin: 0 });
  for (let i = 0; i < count; i++) {
    const expert = `${module}.experts.${i}`;
    const matrix = inner * hiddenSize;
    weights.linear(`${expert}.${names.gate}`, inner, hiddenSize, false);
    weights.linear(`${expert}.${names.up}`, inner, hiddenSize, false);
    weights.linear(`${expert}.${names.down}`, hiddenSize, inner, false);
    const gateUp = `${held}.${together.gateUp}`;
    places.set(`${expert}.${names.gate}.weight`, { tensor: gateUp, begin: 2 * i * matrix });
    places.set(`${expert}.${names.up}.weight`, { tensor: gateUp, begin: (2 * i + 1) * matrix });
    places.set(`${expert}.${names.down}.weight`, { tensor: `${held}.${together.down}`, begin: i * matrix });
  }
}

/**
 * Σ weight · expert(x) over the experts of each token (Shazeer et al. 2017; Jiang et al. 2024, Mixtral). The rows are
 * brought into the order of their experts, so that each expert computes its own rows and no others.
 *
 * @param x [tokens, hidden size]
 * @param layer modules of the layer
 * @param options.name which the graph has once: of the layer
 * @param options.activate the activation of the gate
 * @returns the same shape
 */
export function routed(
  x: Value,
  layer: Modules,
  { count, perToken, isNormalised, names }: Experts,
  { name, activate }: { readonly name: string; readonly activate: (gate: Value) => Value },
): Value {
  const module = layer.at(names.module);
  const [tokens, width] = x.shape;
  const chosen = topK(softmax(module.linear(x, 'gate')), perToken);
  const weights = isNormalised
    ? div(chosen.values, sum(chosen.values, [-1], { keepAxes: true }))
    : chosen.values;
  const { rows, places, counts } = orderByExpert(chosen.indices, count);
  const sizes = Array.from({ length: count }, (_, expert) => `${name}_expert_${expert}`);
  const outputs = splitRows(gatherRows(x, rows), counts, sizes).map((part, i) => {
    const expert = module.at(`experts.${i}`);
    const gated = mul(activate(expert.linear(part, names.gate)), expert.linear(part, names.up));
    return expert.linear(gated, names.down);
  });
  const all = concat(outputs as [Value, ...Value[]], 0, String(product([perToken, tokens])));
  const ofChoices = reshape(gatherRows(all, places), [tokens, perToken, width]);
  return sum(mul(ofChoices, reshape(weights, [tokens, perToken, 1])), [1]);
}
