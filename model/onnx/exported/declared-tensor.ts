import { TensorProto_DataType, type ValueInfoProto } from 'onnx-buf';
import { formatShape, type Shape } from '../../graph/shape.ts';

/** What a model declares of one of its inputs or outputs. */
export interface DeclaredTensor {
  readonly dataType: TensorProto_DataType;
  /** Open sizes by their names, "?" where they have none; undefined if it is not declared. */
  readonly shape: Shape | undefined;
}

/** Undefined where the value is no tensor. */
export function declaredTensor({ type }: ValueInfoProto): DeclaredTensor | undefined {
  if (type?.value.case !== 'tensorType') return undefined;
  const { elemType, shape } = type.value.value;
  return {
    dataType: elemType,
    shape: shape?.dim.map(({ value: size }) => {
      if (size.case === 'dimValue') return Number(size.value);
      return size.case === 'dimParam' && size.value !== '' ? size.value : '?';
    }),
  };
}

/** For messages: data type and shape. */
export const formatTensor = (tensor: DeclaredTensor | undefined): string =>
  tensor === undefined
    ? 'no tensor'
    : `${TensorProto_DataType[tensor.dataType]?.toLowerCase()} ${tensor.shape ? formatShape(tensor.shape) : 'of any shape'}`;
