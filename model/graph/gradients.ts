import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { add, scalar, scatterAddRows } from './expressions.ts';
import type { Node, Value } from './graph.ts';
import { operators } from './operators.ts';
import { sameShape } from './shape.ts';
import type { InputsOf, OperatorName } from './signatures.ts';

/**
 * Reverse-mode differentiation: ∂loss/∂p for every parameter p, as values of the same graph and of the
 * parameters' shapes. The backward pass is written into the graph as ordinary nodes.
 *
 * @param loss a float32 scalar
 * @throws invalid_argument where the loss is no scalar, it does not depend on a parameter, or an operator in
 * between has no gradient
 */
export function gradients(loss: Value, parameters: readonly Value[]): readonly Value[] {
  if (loss.shape.length !== 0)
    throw new FuseMeshError('invalid_argument', `gradients: the loss ${loss} must be a scalar`);
  return pullback(loss, scalar(loss.graph, 1), parameters);
}

/**
 * The same for a part of a model: the vector-Jacobian product for a given cotangent of its output.
 *
 * @param outputCotangent ∂loss/∂output, of the output's shape
 * @throws invalid_argument as {@link gradients}
 */
export function pullback(
  output: Value,
  outputCotangent: Value,
  parameters: readonly Value[],
): readonly Value[] {
  if (!sameShape(output.shape, outputCotangent.shape))
    throw new FuseMeshError(
      'invalid_argument',
      `gradients: ${outputCotangent} cannot be the cotangent of ${output}: the shapes differ`,
    );
  const order = dependenciesFirst(output);
  const affected = affectedBy(new Set(parameters), order);
  const cotangents = new Map<Value, Value>([[output, outputCotangent]]);

  for (const value of order.reverse()) {
    const cotangent = cotangents.get(value);
    if (!cotangent || !affected.has(value)) continue;
    const inputs = inputsOf(value);
    if (inputs.length === 0) continue;
    backward(value, cotangent).forEach((toInput, index) => {
      const input = inputs[index];
      if (!toInput || !affected.has(input)) return;
      const sofar = cotangents.get(input);
      cotangents.set(input, sofar ? add(sofar, toInput) : toInput);
    });
  }

  return parameters.map((parameter) => {
    const cotangent = cotangents.get(parameter);
    if (!cotangent)
      throw new FuseMeshError(
        'invalid_argument',
        `gradients: the loss does not depend on the parameter ${parameter}`,
      );
    return cotangent;
  });
}

/**
 * sum + term. Where the term is a matrix product, or rows scattered over zeros, one operator computes the
 * sum, and no tensor holds the term alone. All of these operators may write onto the sum's own buffer
 * (`inPlaceOf`).
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

const inputsOf = (value: Value): readonly Value[] =>
  value.gradientRule?.inputs ?? (value.origin.kind === 'node' ? value.origin.node.inputs : []);

function backward(value: Value, cotangent: Value): readonly (Value | undefined)[] {
  if (value.gradientRule) return value.gradientRule.rule(cotangent);
  return value.origin.kind === 'node' ? throughNode(value.origin.node, value, cotangent) : [];
}

function throughNode<Name extends OperatorName>(
  node: Node<Name>,
  output: Value,
  cotangent: Value,
): InputsOf<Name, Value | undefined> {
  const { gradient } = operators[node.operator];
  if (!gradient || node.outputs[0] !== output) {
    throw new FuseMeshError(
      'invalid_argument',
      `gradients: no gradient flows through ${node.operator} to ${output}`,
    );
  }
  return gradient(cotangent, node);
}

/** All values that `root` depends on, each after those that it depends on. */
function dependenciesFirst(root: Value): Value[] {
  const order: Value[] = [];
  const seen = new Set<Value>([root]);
  // An explicit stack: deep networks would overflow the call stack.
  const stack: { value: Value; next: number }[] = [{ value: root, next: 0 }];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const input = inputsOf(top.value)[top.next++];
    if (input === undefined) {
      order.push(top.value);
      stack.pop();
    } else if (!seen.has(input)) {
      seen.add(input);
      stack.push({ value: input, next: 0 });
    }
  }
  return order;
}

function affectedBy(sources: ReadonlySet<Value>, order: readonly Value[]): ReadonlySet<Value> {
  const affected = new Set<Value>(sources);
  for (const value of order) {
    if (inputsOf(value).some((input) => affected.has(input))) affected.add(value);
  }
  return affected;
}
