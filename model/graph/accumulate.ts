import { add, scatterAddRows } from './expressions.ts';
import type { Value } from './graph.ts';

/**
 * sum + term. Where the term is a product of matrices or rows scattered over zeros, one operator gives the sum,
 * and no tensor holds the term alone. ONNX Runtime may be told to write the result onto the sum's own buffer: all
 * of these operators read a value of the sum before they write it.
 */
export function accumulate(sum: Value, term: Value): Value {
  if (term.origin.kind !== 'node') return add(sum, term);
  const { node } = term.origin;
  if (node.operator === 'MatMul' && node.inputs.every(({ shape }) => shape.length === 2)) {
    const [a, b] = node.inputs;
    return sum.graph.apply('MatMulAdd', [a, b, sum], node.parameters)[0];
  }
  if (node.operator === 'ScatterAddRows' && isZeros(node.inputs[0])) {
    const [, indices, updates] = node.inputs;
    return scatterAddRows(sum, indices, updates);
  }
  return add(sum, term);
}

const isZeros = ({ origin }: Value): boolean => origin.kind === 'node' && origin.node.operator === 'Zeros';
