import { bytesPerElement, type Value } from './graph.ts';
import type { GraphPart } from './reachable.ts';
import { boundShape, elementCount } from './shape.ts';

/** Operators that give another view of their input, and take no memory. */
const views: ReadonlySet<string> = new Set(['Reshape']);

/** Operators that ONNX Runtime lets write onto an input that nobody reads any more. */
const inPlace: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Exp', 'Log', 'Sqrt', 'Sigmoid', 'Erf', 'Tanh', 'Where'],
  ...['ScatterAddElements', 'Softmax'],
]);

/**
 * Most memory that the values between a part's inputs and outputs take at a time, in bytes: each from the node
 * that gives it to the last that reads it.
 *
 * @param outputs names of the values that are written into buffers of others
 * @param sizes numbers for the open sizes
 */
export function temporaryBytes(
  { nodes }: Pick<GraphPart, 'nodes'>,
  outputs: ReadonlySet<string>,
  sizes: Readonly<Record<string, number>>,
): number {
  const lastUse = new Map<string, number>();
  // A view keeps alive what it is a view of.
  const owner = new Map<string, string>();
  const ownerOf = (name: string): string => owner.get(name) ?? name;
  for (const [at, { operator, inputs, outputs: results }] of nodes.entries()) {
    if (views.has(operator)) owner.set(results[0].name, ownerOf(inputs[0].name));
    for (const { name } of inputs) lastUse.set(ownerOf(name), at);
  }
  const held = new Map<string, number>();
  let now = 0;
  let most = 0;
  for (const [at, node] of nodes.entries()) {
    const ending = [...new Set(node.inputs.map(({ name }) => ownerOf(name)))].filter(
      (name) => held.has(name) && lastUse.get(name) === at,
    );
    for (const value of node.outputs) {
      if (views.has(node.operator) || outputs.has(value.name) || !lastUse.has(value.name)) continue;
      const bytes = bytesOf(value, sizes);
      const replaced = inPlace.has(node.operator) ? ending.findIndex((name) => held.get(name) === bytes) : -1;
      held.set(value.name, bytes);
      if (replaced === -1) now += bytes;
      else held.delete(ending.splice(replaced, 1)[0]);
    }
    most = Math.max(most, now);
    for (const name of ending) {
      now -= held.get(name)!;
      held.delete(name);
    }
  }
  return most;
}

/** Size of a value in memory. */
export const bytesOf = ({ shape, elementType }: Value, sizes: Readonly<Record<string, number>>): number =>
  elementCount(boundShape(shape, sizes)) * bytesPerElement[elementType];
