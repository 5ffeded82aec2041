import { create } from '@bufbuild/protobuf';
import { type ValueInfoProto, ValueInfoProtoSchema } from 'onnx-buf';
import type { Dimension } from '../graph/shape.ts';
import type { TensorType } from '../graph/tensor-type.ts';
import { dataTypes } from './node.ts';

/** An input or output of a model as ONNX declares it; open sizes have their names. */
export const valueInfo = (name: string, { elementType, shape }: TensorType): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: dataTypes[elementType],
          shape: { dim: shape.map((size) => ({ value: dimension(size) })) },
        },
      },
    },
  });

const dimension = (size: Dimension) =>
  typeof size === 'number'
    ? ({ case: 'dimValue', value: BigInt(size) } as const)
    : ({ case: 'dimParam', value: size } as const);
