import { add, scatterAddRows } from './expressions.ts';
import type { Value } from './graph.ts';

/**
 * sum + term. Where the term is a product of matrices or rows scattered over zeros, one operator gives the sum,
 * and no tensor holds the term alone. ONNX Runtime may be told to write the result onto the sum's own buffer: all
 * of these operators read a value of the sum before they write it.
 */
export function accumulate(sum: Value, term: Value): Value {
  if (term.origin.kind !== 'node') return add(sum, term);
  const { operator, inputs, attributes } = term.origin.node;
  if (operator === 'MatMul' && inputs.every(({ shape }) => shape.length === 2))
    return sum.graph.apply('MatMulAdd', [...inputs, sum], attributes)[0];
  if (operator === 'ScatterAddRows' && isZeros(inputs[0])) return scatterAddRows(sum, inputs[1], inputs[2]);
  return add(sum, term);
}

const isZeros = ({ origin }: Value): boolean => origin.kind === 'node' && origin.node.operator === 'Zeros';
