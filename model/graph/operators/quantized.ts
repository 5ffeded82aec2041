import type { OperatorTable, Value } from '../graph.ts';
import { microsoft } from '../onnx-writer.ts';
import { type Shape, sameShape } from '../shape.ts';
import type { OperatorName, QuantizedBlocks } from '../signatures.ts';
import type { TensorType } from '../tensor-type.ts';
import { expectType, refuse } from './refusals.ts';
import { writtenAs } from './written-as.ts';

/** Type of x·Wᵀ, whose other operands must have these shapes. */
function infer(
  operator: OperatorName,
  operands: readonly Value[],
  { inputSize, outputSize }: Pick<QuantizedBlocks, 'inputSize' | 'outputSize'>,
  shapes: readonly Shape[],
): readonly [TensorType] {
  const [x, codes, scales, ...zeroPoints] = operands;
  for (const operand of [x, scales]) expectType(operator, operand, 'float32');
  for (const operand of [codes, ...zeroPoints]) expectType(operator, operand, 'uint8');
  if (x.shape.at(-1) !== inputSize) refuse(operator, [x], `its last axis must have ${inputSize} values`);
  for (const [i, operand] of operands.slice(1).entries())
    if (!sameShape(operand.shape, shapes[i])) refuse(operator, [operand], 'does not fit the matrix');
  return [{ elementType: 'float32', shape: x.shape.with(-1, outputSize) }];
}

/**
 * Products with quantized matrices, which ONNX Runtime computes from them as they are. Neither has a gradient, nor a
 * form in the standard.
 */
export const quantizedOperators = {
  MatMulOfBlocks: {
    infer: (operands, parameters) => {
      const { bits, blockSize, inputSize, outputSize } = parameters;
      const blocks = inputSize / blockSize;
      return infer('MatMulOfBlocks', operands, parameters, [
        [outputSize, blocks, (blockSize * bits) / 8],
        [outputSize, blocks],
        [outputSize, Math.ceil((blocks * bits) / 8)],
      ]);
    },
    toOnnx: writtenAs(
      'MatMulNBits',
      ({ bits, blockSize, inputSize, outputSize }) => ({
        K: inputSize,
        N: outputSize,
        bits,
        block_size: blockSize,
        accuracy_level: asFloat32,
      }),
      microsoft,
    ),
  },
  MatMulOfTable: {
    infer: (operands, parameters) => {
      const { blockSize, inputSize, outputSize } = parameters;
      const values = inputSize * outputSize;
      return infer('MatMulOfTable', operands, parameters, [[values / 2], [values / blockSize]]);
    },
    toOnnx: writtenAs(
      'MatMulBnb4',
      ({ blockSize, inputSize, outputSize, table }) => ({
        K: inputSize,
        N: outputSize,
        block_size: blockSize,
        quant_type: table === 'nf4' ? 1 : 0,
      }),
      microsoft,
    ),
  },
} satisfies Partial<OperatorTable>;

/**
 * accuracy_level of MatMulNBits with which x stays float32; at 4 it would be rounded to 8 bits, which is no use in a
 * teacher: docs/models.md has the figures.
 */
const asFloat32 = 1;
