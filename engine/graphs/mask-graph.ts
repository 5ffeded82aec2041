import { greaterOrEqual, reshape, where } from '../../model/graph/expressions.ts';
import type { Value } from '../../model/graph/graph.ts';
import { createGraph } from '../../model/graph/operators.ts';

/**
 * The mask of packed rows, made on a device rather than brought there. Inputs: slots float32 [length], 0, 1, 2, …; and
 * first_slots float32 [rows, length], the slot in which each slot's document begins. Output: mask
 * float32 [rows, 1, 1, length, length], 0 where a slot may attend to another, −∞ elsewhere.
 */
export function maskGraph(): Readonly<Record<'mask', Value>> {
  const graph = createGraph();
  const slots = graph.input('slots', 'float32', ['length']);
  const firstSlots = graph.input('first_slots', 'float32', ['rows', 'length']);
  const query = reshape(slots, [1, 1, 1, 'length', 1]);
  const key = reshape(slots, [1, 1, 1, 1, 'length']);
  const first = reshape(firstSlots, ['rows', 1, 1, 'length', 1]);
  const hidden = Number.NEGATIVE_INFINITY;
  const ofDocument = where(greaterOrEqual(key, first), 0, hidden);
  return { mask: where(greaterOrEqual(query, key), ofDocument, hidden) };
}
