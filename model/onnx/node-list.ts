import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  type NodeProto,
  type TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { Named, OnnxWriter, Turn } from '../graph/onnx-writer.ts';
import type { ElementType } from '../graph/tensor-type.ts';
import { dataTypes, type NodeAttribute, onnxNode } from './node.ts';
import { valueInfo } from './value-info.ts';

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

  loop(times: Named, first: readonly Named[], turn: Turn, outputs?: readonly Named[]): string[] {
    const name = `${this.#name}/${this.all.length}`;
    const [number, goesOn] = [`${name}/number`, `${name}/goes-on`];
    const before = first.map((_, i) => `${name}/carried-${i}`);
    const body = new NodeList(name);
    const { carried, collected } = turn(body, number, before);
    const stillGoesOn = body.add('Identity', [goesOn]);
    const graph = create(GraphProtoSchema, {
      name,
      node: body.all,
      input: [
        valueInfo(number, { elementType: 'int64', shape: [] }),
        valueInfo(goesOn, { elementType: 'bool', shape: [] }),
        ...before.map((value) => anyShape(value, 'float32')),
      ],
      output: [
        valueInfo(stillGoesOn, { elementType: 'bool', shape: [] }),
        ...[...carried, ...collected].map((value) => anyShape(value, 'float32')),
      ],
    });
    const results = outputs ?? [...carried, ...collected].map((_, i) => `${name}/result-${i}`);
    this.add('Loop', [times, '', ...first], { body: { graph } }, results);
    return results.map(nameOf);
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

const anyShape = (name: string, elementType: ElementType): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: dataTypes[elementType] } } },
  });
