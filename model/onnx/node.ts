import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
} from 'onnx-buf';
import type { OnnxAttribute } from '../graph/onnx-writer.ts';
import type { ElementType } from '../graph/tensor-type.ts';

/** What a node that we write takes; a constant has its tensor too, a loop its body. */
export type NodeAttribute = OnnxAttribute | { readonly tensor: TensorProto } | { readonly graph: GraphProto };

/** One node of an ONNX graph, from the names of its inputs to those of its outputs. */
export const onnxNode = (
  opType: string,
  input: string[],
  output: string[],
  attributes: Readonly<Record<string, NodeAttribute>> = {},
  domain = '',
): NodeProto =>
  create(NodeProtoSchema, {
    name: output[0],
    opType,
    domain,
    input,
    output,
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  });

function attribute(name: string, value: NodeAttribute): AttributeProto {
  const result = create(AttributeProtoSchema, { name });
  if (typeof value === 'number') {
    result.type = AttributeProto_AttributeType.INT;
    result.i = BigInt(value);
  } else if (typeof value === 'string') {
    result.type = AttributeProto_AttributeType.STRING;
    result.s = new TextEncoder().encode(value);
  } else if ('float' in value) {
    result.type = AttributeProto_AttributeType.FLOAT;
    result.f = value.float;
  } else if ('elementType' in value) {
    result.type = AttributeProto_AttributeType.INT;
    result.i = BigInt(dataTypes[value.elementType]);
  } else if ('tensor' in value) {
    result.type = AttributeProto_AttributeType.TENSOR;
    result.t = value.tensor;
  } else if ('graph' in value) {
    result.type = AttributeProto_AttributeType.GRAPH;
    result.g = value.graph;
  } else {
    result.type = AttributeProto_AttributeType.INTS;
    result.ints = value.map(BigInt);
  }
  return result;
}

export const dataTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float64: TensorProto_DataType.DOUBLE,
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  bfloat16: TensorProto_DataType.BFLOAT16,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  uint8: TensorProto_DataType.UINT8,
  bool: TensorProto_DataType.BOOL,
};
