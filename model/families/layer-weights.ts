import { add, layerNorm, linear } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';

/** A weight of one layer by its name within it. */
export type LayerWeight = (name: string) => Value;

/** x·Wᵀ, plus the bias where the layer has one. */
export function dense(x: Value, layer: LayerWeight, name: string, bias: boolean): Value {
  const y = linear(x, layer(`${name}.weight`));
  return bias ? add(y, layer(`${name}.bias`)) : y;
}

/** Layer norm with weight and bias. */
export const biasedNorm = (x: Value, layer: LayerWeight, name: string, epsilon: number): Value =>
  layerNorm(x, layer(`${name}.weight`), layer(`${name}.bias`), epsilon);

/** Collects the shapes of a model's weights by their full names. */
export class WeightShapes {
  readonly shapes = new Map<string, readonly number[]>();

  set(name: string, ...shape: readonly number[]): void {
    this.shapes.set(name, shape);
  }

  /** A linear layer as Hugging Face stores it: weight [to, from]. */
  dense(name: string, to: number, from: number, bias: boolean): void {
    this.set(`${name}.weight`, to, from);
    if (bias) this.set(`${name}.bias`, to);
  }

  norm(name: string, size: number, bias: boolean): void {
    this.set(`${name}.weight`, size);
    if (bias) this.set(`${name}.bias`, size);
  }
}
