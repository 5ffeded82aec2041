import type { Node, Value } from './graph.ts';
import { operators } from './operators.ts';
import type { GraphPart } from './reachable.ts';
import { boundShape, elementCount } from './shape.ts';
import type { OperatorName } from './signatures.ts';
import { bytesPerElement } from './tensor-type.ts';

/**
 * Peak memory of the values between a part's inputs and outputs, in bytes: each lives from the node that
 * computes it to the last that reads it.
 *
 * @param outputs names of the values that are written into the caller's buffers
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
    const [first] = inputs;
    if (first && operators[operator].isView) owner.set(results[0].name, ownerOf(first.name));
    for (const { name } of inputs) lastUse.set(ownerOf(name), at);
  }
  const held = new Map<string, number>();
  let now = 0;
  let most = 0;
  for (const [at, node] of nodes.entries()) {
    const ending = [...new Set(node.inputs.map(({ name }) => ownerOf(name)))].filter(
      (name) => held.has(name) && lastUse.get(name) === at,
    );
    const { isView, reusesInput } = operators[node.operator];
    for (const value of node.outputs) {
      if (isView || outputs.has(value.name) || !lastUse.has(value.name)) continue;
      const bytes = bytesOf(value, sizes);
      const replaced = reusesInput ? ending.findIndex((name) => held.get(name) === bytes) : -1;
      held.set(value.name, bytes);
      if (replaced === -1) now += bytes;
      else held.delete(ending.splice(replaced, 1)[0]);
    }
    most = Math.max(most, now + workspaceOf(node, sizes));
    for (const name of ending) {
      now -= held.get(name)!;
      held.delete(name);
    }
  }
  return most;
}

const workspaceOf = <Name extends OperatorName>(
  node: Node<Name>,
  sizes: Readonly<Record<string, number>>,
): number => operators[node.operator].workspace?.(node, sizes) ?? 0;

/** Size of a value in memory. */
export const bytesOf = ({ shape, elementType }: Value, sizes: Readonly<Record<string, number>>): number =>
  elementCount(boundShape(shape, sizes)) * bytesPerElement[elementType];
