import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, type NodeProto, TensorProto_DataType } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { add, matmul } from '../graph/expressions.ts';
import { createGraph } from '../graph/operators.ts';
import type { Half } from '../graph/tensor-type.ts';
import { type Dialect, emitModel } from './emit.ts';

/** x·w, and what else reads w. */
function model(dialect: Dialect, half: Half, { isAdded = false } = {}) {
  const graph = createGraph();
  const w = graph.input('w', 'float32', [4, 4]);
  const y = matmul(graph.input('x', 'float32', [4, 4]), w);
  const outputs = isAdded ? { y, z: add(w, 1) } : { y };
  const narrow = new Map([['w', half]]);
  return fromBinary(ModelProtoSchema, emitModel(outputs, { dialect, narrow })).graph!;
}

/** The types to which a model casts w. */
const castsOf = (nodes: readonly NodeProto[]) =>
  nodes
    .filter(({ opType, input }) => opType === 'Cast' && input[0] === 'w')
    .map(({ attribute: [to] }) => Number(to.i));

describe('an input of 16 bits', () => {
  it.each(['bfloat16', 'float16'] as const)('is what a product in %s takes', (half) => {
    const { node, input } = model(half, half);
    expect(input.find(({ name }) => name === 'w')!.type!.value.value).toMatchObject({
      elemType: half === 'float16' ? TensorProto_DataType.FLOAT16 : TensorProto_DataType.BFLOAT16,
    });
    expect(castsOf(node)).toEqual([]);
    expect(node.find(({ opType }) => opType === 'FusedMatMul')!.input[1]).toBe('w');
  });

  it('becomes float32 for whatever else reads it, and for products in float32', () => {
    expect(castsOf(model('bfloat16', 'bfloat16', { isAdded: true }).node)).toEqual([
      TensorProto_DataType.FLOAT,
    ]);
    expect(castsOf(model('onnxruntime', 'bfloat16').node)).toEqual([TensorProto_DataType.FLOAT]);
    expect(castsOf(model('rounded-bfloat16', 'bfloat16').node)).toEqual([TensorProto_DataType.FLOAT]);
  });

  it('of another type is rounded again', () => {
    const { node } = model('float16', 'bfloat16');
    expect(castsOf(node)).toEqual([TensorProto_DataType.FLOAT]);
    expect(node.filter(({ opType }) => opType === 'Cast')).toHaveLength(4);
  });
});
