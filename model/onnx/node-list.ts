import { create } from '@bufbuild/protobuf';
import { type NodeProto, type TensorProto_DataType, TensorProtoSchema } from 'onnx-buf';
import type { Named, OnnxWriter } from '../graph/onnx-writer.ts';
import { dataTypes, type NodeAttribute, onnxNode } from './node.ts';

/** ONNX nodes in the order in which they run. A result that is not given a name gets one of its own. */
export class NodeList implements OnnxWriter {
  readonly all: NodeProto[] = [];
  readonly #name: string;

  /** @param name what the nodes compute; names in between derive from it */
  constructor(name: string) {
    this.#name = name;
  }

  add(
    opType: string,
    inputs: readonly Named[],
    attributes: Readonly<Record<string, NodeAttribute>> = {},
    outputs: Named | readonly Named[] = `${this.#name}/${this.all.length}`,
    domain = '',
  ): string {
    const output = [outputs].flat().map(nameOf);
    this.all.push(onnxNode(opType, inputs.map(nameOf), output, attributes, domain));
    return output[0];
  }

  float(value: number): string {
    return this.constant(dataTypes.float32, [], Float32Array.of(value));
  }

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

const nameOf = (value: Named): string => (typeof value === 'string' ? value : value.name);
