import { add, cast, gatherRows, layerNorm, linear, matmul, reshape, rmsNorm } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { ModelWeights } from './architecture.ts';

/** The modules of a model under one path, by the names that PyTorch has for them, applied to values. */
export class Modules {
  readonly #weights: ModelWeights;
  readonly #path: string;

  constructor(weights: ModelWeights, path = '') {
    this.#weights = weights;
    this.#path = path;
  }

  /** Those under a longer path. */
  at(path: string): Modules {
    return new Modules(this.#weights, this.#name(path));
  }

  /** x·Wᵀ + b: x [rows, in] → [rows, out]. */
  linear(x: Value, name: string, { bias = false } = {}): Value {
    return this.#adapted(name, x, this.#biased(name, this.#product(x, name), bias));
  }

  /** x·W + b, GPT-2's linear layer. */
  conv1d(x: Value, name: string): Value {
    const y = this.#quantized(x, name) ?? matmul(x, this.#weight(name));
    return this.#adapted(name, x, this.#biased(name, y, true));
  }

  /** @param offset what is added to the weight (Gemma's is 1) */
  rmsNorm(x: Value, name: string, epsilon: number, offset = 0): Value {
    const weight = this.#weight(name);
    return rmsNorm(x, offset === 0 ? weight : add(weight, offset), epsilon);
  }

  layerNorm(x: Value, name: string, { bias, epsilon }: { bias: boolean; epsilon: number }): Value {
    return layerNorm(x, this.#weight(name), bias ? this.#weight(name, 'bias') : undefined, epsilon);
  }

  /** Rows of a table: ids int [batch, length] → [batch · length, width]. */
  embedding(ids: Value, name: string): Value {
    const table = this.#weights.table?.(`${this.#name(name)}.weight`) ?? this.#weight(name);
    return cast(gatherRows(table, reshape(ids, [product(ids.shape)])), 'float32');
  }

  /** The head, [rows, hidden size] → [rows, vocabulary]: x·Eᵀ where it is tied to an embedding, else a layer. */
  head(x: Value, { tiedTo, layer }: { readonly tiedTo: string | false; readonly layer: string }): Value {
    return tiedTo ? this.#product(x, tiedTo) : this.linear(x, layer);
  }

  #product(x: Value, name: string): Value {
    return this.#quantized(x, name) ?? linear(x, this.#weight(name));
  }

  #quantized(x: Value, name: string): Value | undefined {
    return this.#weights.linear?.(this.#name(name), x);
  }

  #biased(name: string, y: Value, bias: boolean): Value {
    return bias ? add(y, this.#weight(name, 'bias')) : y;
  }

  #adapted(name: string, x: Value, y: Value): Value {
    return this.#weights.adapt?.(this.#name(name), x, y) ?? y;
  }

  #weight(name: string, part = 'weight'): Value {
    return this.#weights.weight(`${this.#name(name)}.${part}`);
  }

  #name(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}
