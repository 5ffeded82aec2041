import { create, toBinary } from '@bufbuild/protobuf';
import {
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from 'onnx-buf';
import type { Node, Value } from '../graph/graph.ts';
import { microsoft } from '../graph/onnx-writer.ts';
import { operators } from '../graph/operators.ts';
import { reachable } from '../graph/reachable.ts';
import type { OperatorName } from '../graph/signatures.ts';
import type { Half, HalfOperands } from '../graph/tensor-type.ts';
import { castAtEnds } from './narrow.ts';
import { dataTypes, onnxNode } from './node.ts';
import { NodeList } from './node-list.ts';
import { valueInfo } from './value-info.ts';

/**
 * `standard` models run wherever ONNX does; `onnxruntime` ones are faster, and need ONNX Runtime; so do those that
 * compute matrix products in 16 bits, which are for GPUs: the `rounded` ones only round
 * the operands, where there is no kernel for such products. `webgpu` ones have kernels of its WebGPU provider for all
 * that is as large as the tokens' values.
 */
export type Dialect = 'standard' | 'onnxruntime' | 'webgpu' | HalfOperands;

const standardOperatorSet = { domain: '', version: 18n };

/** Operator sets of the dialects; every ONNX Runtime since 1.17 runs them. */
const operatorSets = (dialect: Dialect): { domain: string; version: bigint }[] =>
  dialect === 'standard' ? [standardOperatorSet] : [standardOperatorSet, { domain: microsoft, version: 1n }];

/** How a graph becomes a model. */
export interface Emission {
  readonly dialect?: Dialect;
  /** Values that become inputs of the model instead of being computed. */
  readonly given?: readonly Value[];
  /** Inputs and outputs that have 16 bits outside of the model, where less memory counts more, by their names. */
  readonly narrow?: ReadonlyMap<string, Half> | undefined;
}

/**
 * A graph as an ordinary ONNX model: the part of it that the outputs need.
 *
 * @param outputs values by the names of the model's outputs; an output that has its value's own name is that
 *   value, others are renamed by an Identity, which may copy
 * @returns bytes of a ModelProto
 */
export function emitModel(outputs: Readonly<Record<string, Value>>, emission: Emission = {}): Uint8Array {
  return toBinary(ModelProtoSchema, modelProto(outputs, emission));
}

/** {@link emitModel} before it is serialized, to build on. */
export function modelProto(
  outputs: Readonly<Record<string, Value>>,
  { dialect = 'onnxruntime', given = [], narrow = new Map() }: Emission,
): ModelProto {
  const { nodes, inputs, constants } = reachable(Object.values(outputs), given);
  const named = Object.entries(outputs);
  const renamed = named.filter(([name, value]) => name !== value.name);
  const lowered = nodes.flatMap((node) => lower(node, dialect));
  const computed = [
    ...(dialect === 'webgpu' ? onlyRead(lowered, Object.values(outputs)) : lowered),
    ...renamed.map(([name, value]) => onnxNode('Identity', [value.name], [name])),
  ];
  const narrowOf = (names: readonly string[]) =>
    new Map([...narrow].filter(([name]) => names.includes(name)));
  const ends = {
    inputs: narrowOf(inputs.map(({ name }) => name)),
    outputs: narrowOf(Object.keys(outputs)),
  };
  const outside = (name: string, { elementType, shape }: Value) =>
    valueInfo(name, { elementType: narrow.get(name) ?? elementType, shape });
  const graph = {
    name: 'fusemesh',
    node: castAtEnds(computed, ends),
    initializer: constants.map(initializer),
    input: inputs.map((value) => outside(value.name, value)),
    output: named.map(([name, value]) => outside(name, value)),
  };
  return create(ModelProtoSchema, {
    irVersion: 9n,
    producerName: 'fusemesh',
    opsetImport: operatorSets(dialect),
    graph,
  });
}

/** The ONNX nodes of one node of our graph. */
function lower<Name extends OperatorName>(node: Node<Name>, dialect: Dialect): NodeProto[] {
  const onnx = new NodeList(node.outputs[0].name);
  const { toOnnx, toOnnxRuntime = toOnnx, toHalf, toWebgpu = toOnnx } = operators[node.operator];
  if (dialect === 'standard') toOnnx(onnx, node);
  else if (dialect === 'webgpu') toWebgpu(onnx, node);
  else if (dialect === 'onnxruntime' || !toHalf) toOnnxRuntime(onnx, node);
  else toHalf(onnx, node, dialect);
  return onnx.all;
}

/** Nodes of which something is read. ONNX Runtime runs the others too. */
function onlyRead(nodes: readonly NodeProto[], outputs: readonly Value[]): NodeProto[] {
  const read = new Set(outputs.map(({ name }) => name));
  const kept = nodes.toReversed().filter(({ input, output, attribute }) => {
    if (!output.some((name) => read.has(name))) return false;
    for (const name of input) read.add(name);
    // A loop's body reads values from outside.
    for (const { g } of attribute)
      for (const node of g?.node ?? []) for (const name of node.input) read.add(name);
    return true;
  });
  return kept.reverse();
}

function initializer(value: Value): TensorProto {
  const tensor = create(TensorProtoSchema, {
    name: value.name,
    dataType: dataTypes[value.elementType],
    dims: value.shape.map((dimension) => BigInt(dimension)),
  });
  if (value.origin.kind !== 'constant') return tensor;
  const { data } = value.origin;
  if (data.kind === 'bytes') tensor.rawData = data.bytes;
  else {
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    const entries = { location: data.name, offset: data.offset, length: data.byteLength };
    tensor.externalData = Object.entries(entries).map(([key, entry]) =>
      create(StringStringEntryProtoSchema, { key, value: String(entry) }),
    );
  }
  return tensor;
}
