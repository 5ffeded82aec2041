import type { Value } from './graph.ts';
import { operators } from './operators.ts';
import { reachable } from './reachable.ts';

/** Shapes and conditions, which are not float32, are not kept either. */
const isKept = ({ elementType, origin }: Value): boolean =>
  elementType === 'float32' && origin.kind === 'node' && !operators[origin.node.operator].isCheap;

/**
 * What a forward pass must keep so that the backward pass can run by itself: the values that the forward pass
 * computes and the backward pass reads. What is cheap is computed again from those that are kept.
 *
 * @param output of the forward pass
 * @param results of the backward pass
 */
export function savedValues(output: Value, results: readonly Value[]): Value[] {
  const forward = computedNames(output);
  const saved = new Map<string, Value>();
  const seen = new Set<string>();
  const open = [...results];
  for (let value = open.pop(); value; value = open.pop()) {
    if (value.origin.kind !== 'node' || seen.has(value.name)) continue;
    seen.add(value.name);
    if (forward.has(value.name) && isKept(value)) saved.set(value.name, value);
    else open.push(...value.origin.node.inputs);
  }
  // In the order in which they are computed.
  return [...forward].flatMap((name) => saved.get(name) ?? []);
}

const computedNames = (output: Value): ReadonlySet<string> =>
  new Set(reachable([output]).nodes.flatMap(({ outputs }) => outputs.map(({ name }) => name)));
