import { floatConstant } from '../graph/expressions.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { type Rotary, rotaryFrequencies } from './rotary-frequencies.ts';

/** Constants of a graph, [context length, r] each. */
export interface RotaryTables {
  readonly cos: Value;
  readonly sin: Value;
}

/**
 * cos and sin of position · frequency.
 *
 * @param name what tells them from others in the graph
 */
export function rotaryTables(
  graph: Graph,
  rotary: Rotary,
  contextLength: number,
  name = 'rotary',
): RotaryTables {
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
    cos: floatConstant(graph, `${name}_cos`, [contextLength, half], cos),
    sin: floatConstant(graph, `${name}_sin`, [contextLength, half], sin),
  };
}
