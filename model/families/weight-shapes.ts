import { elementCount } from '../graph/shape.ts';

/** A linear layer of a model. */
export interface LinearLayer {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Its weight is stored as [in, out] (GPT-2's Conv1D) and not as [out, in]. */
  readonly transposed: boolean;
}

/** A weight's place in a tensor that holds it with others: so many values from its beginning. */
export interface PlaceWithin {
  readonly tensor: string;
  readonly begin: number;
}

/** How many values tensors of these shapes hold. */
export const parameterCount = (shapes: ReadonlyMap<string, readonly number[]>): number =>
  [...shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0);

/** Collects the shapes of a model's weights by their full names. */
export class WeightShapes {
  readonly weights = new Map<string, readonly number[]>();
  readonly linearLayers = new Map<string, LinearLayer>();

  set(name: string, ...shape: readonly number[]): void {
    this.weights.set(name, shape);
  }

  /** A linear layer as Hugging Face stores it: weight [to, from]. */
  linear(name: string, to: number, from: number, bias: boolean): void {
    this.set(`${name}.weight`, to, from);
    if (bias) this.set(`${name}.bias`, to);
    this.linearLayers.set(name, { inputSize: from, outputSize: to, transposed: false });
  }

  /** A linear layer as GPT-2 stores it: weight [from, to], and a bias. */
  conv1d(name: string, from: number, to: number): void {
    this.set(`${name}.weight`, from, to);
    this.set(`${name}.bias`, to);
    this.linearLayers.set(name, { inputSize: from, outputSize: to, transposed: true });
  }

  norm(name: string, size: number, bias: boolean): void {
    this.set(`${name}.weight`, size);
    if (bias) this.set(`${name}.bias`, size);
  }
}
