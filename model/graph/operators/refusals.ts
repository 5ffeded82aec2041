import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { Value } from '../graph.ts';
import { broadcastShapes } from '../shape.ts';
import type { OperatorName } from '../signatures.ts';
import type { ElementType, TensorType } from '../tensor-type.ts';

/** Refuses operands: the message names the operator, the operands and what is wrong. */
export function refuse(operator: OperatorName, operands: readonly Value[], problem: string): never {
  throw new FuseMeshError('invalid_argument', `${operator}: ${operands.join(' and ')}: ${problem}`);
}

/** Refuses an operand of another element type than the operator takes. */
export function expectType(operator: OperatorName, operand: Value, ...allowed: readonly ElementType[]): void {
  if (!allowed.includes(operand.elementType)) refuse(operator, [operand], `takes ${allowed.join(' or ')}`);
}

/** Type of an elementwise result of operands that broadcast. */
export function broadcastType(operator: OperatorName, operands: readonly [Value, Value]): TensorType {
  const [a, b] = operands;
  if (a.elementType !== b.elementType)
    refuse(operator, operands, 'the element types differ; cast one of them');
  const shape = broadcastShapes(a.shape, b.shape);
  if (!shape) refuse(operator, operands, 'the shapes do not broadcast');
  return { elementType: a.elementType, shape };
}

/** An axis of an operand, counted from the end when negative, as a plain index. */
export function resolveAxis(operator: OperatorName, operand: Value, axis: number): number {
  const rank = operand.shape.length;
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank)
    refuse(operator, [operand], `axis ${axis} is outside a tensor of rank ${rank}`);
  return resolved;
}

/** Sizes of one axis of several operands, where all are fixed. */
export function fixedSizes(operator: OperatorName, operands: readonly Value[], axis: number): number[] {
  return operands.map(({ shape }) => {
    const size = shape[axis];
    return typeof size === 'number' ? size : refuse(operator, operands, `axis ${axis} must be of fixed size`);
  });
}

/** The shape of an operand, where all of it is fixed. */
export function fixedShape(operator: OperatorName, operand: Value, problem: string): number[] {
  return operand.shape.map((size) =>
    typeof size === 'number' ? size : refuse(operator, [operand], problem),
  );
}
