import { concat, reshape, rotaryEmbedding, slice } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { Rotary } from './rotary-frequencies.ts';
import { rotaryTables } from './rotary-tables.ts';

/** What the heads are like that are rotated. */
interface RotatedHeads {
  readonly headSize: number;
  readonly contextLength: number;
  /** What tells one rotation from others of the graph. */
  readonly name?: string;
}

/**
 * Rotates queries or keys, [tokens, heads · head size] or [batch, length, heads · head size], to their positions
 * (Su et al. 2021): of each head the first 2r values.
 *
 * @param positions int64 [batch, length] of the tokens
 * @returns [tokens, heads · head size]
 */
export function rotation(
  positions: Value,
  rotary: Rotary,
  { headSize, contextLength, name }: RotatedHeads,
): (x: Value) => Value {
  const { cos, sin } = rotaryTables(positions.graph, rotary, contextLength, name);
  const [batch, length] = positions.shape;
  const tokens = product([batch, length]);
  const rotated = 2 * rotary.half;
  return (x) => {
    const width = x.shape.at(-1) as number;
    if (rotated === headSize) {
      const inTexts = reshape(x, [batch, length, width]);
      return reshape(rotaryEmbedding(inTexts, positions, cos, sin), [tokens, width]);
    }
    const heads = width / headSize;
    const perHead = reshape(x, [tokens, heads, headSize]);
    const first = reshape(slice(perHead, 2, 0, rotated), [batch, length, heads * rotated]);
    const turned = reshape(rotaryEmbedding(first, positions, cos, sin), [tokens, heads, rotated]);
    return reshape(concat([turned, slice(perHead, 2, rotated, headSize)], 2), [tokens, width]);
  };
}
