import { create } from '@bufbuild/protobuf';
import { type NodeProto, type TensorProto_DataType, TensorProtoSchema } from 'onnx-buf';
import { dataTypes, type OnnxAttribute, onnxNode } from './node.ts';

/** ONNX nodes in the order in which they run. A result that is not given a name gets one of its own. */
export class NodeList {
  readonly all: NodeProto[] = [];
  readonly #name: string;

  /** @param name what the nodes compute; names in between derive from it */
  constructor(name: string) {
    this.#name = name;
  }

  /** Applies an operator; returns the name of its result. */
  add(
    opType: string,
    inputs: string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output = `${this.#name}/${this.all.length}`,
    domain = '',
  ): string {
    this.all.push(onnxNode(opType, inputs, [output], attributes, domain));
    return output;
  }

  /** A float32 scalar. */
  float(value: number): string {
    return this.constant(dataTypes.float32, [], Float32Array.of(value));
  }

  /** An int64 tensor of rank 1. */
  int64s(values: readonly number[]): string {
    return this.constant(dataTypes.int64, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A tensor that never changes, its values row by row. */
  constant(
    dataType: TensorProto_DataType,
    dims: readonly number[],
    { buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>,
    output?: string,
  ): string {
    const tensor = create(TensorProtoSchema, {
      dataType,
      dims: dims.map(BigInt),
      rawData: new Uint8Array(buffer, byteOffset, byteLength),
    });
    return this.add('Constant', [], { value: { tensor } }, output);
  }
}
