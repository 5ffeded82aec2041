import { create, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import type { Value } from '../../graph/graph.ts';
import { createGraph } from '../../graph/operators.ts';
import { modelProto } from '../emit.ts';
import type { ExportedModel } from './read-exported-model.ts';

/**
 * An exported model with a graph of ours behind its logits. Further inputs of that graph are inputs of the
 * whole.
 *
 * @param outputsOf from the logits [batch, length, vocabulary] to the outputs of the whole, in operators
 * whose form has not changed since operator set 11
 * @returns bytes of a ModelProto
 */
export function appendToLogits(
  { proto, logits, vocabularySize }: ExportedModel,
  outputsOf: (logits: Value) => Readonly<Record<string, Value>>,
): Uint8Array {
  const input = createGraph().input(logits.name, logits.elementType, ['batch', 'length', vocabularySize]);
  const appended = modelProto(outputsOf(input), { dialect: 'standard' }).graph!;
  const { irVersion, opsetImport, functions } = proto;
  const graph = proto.graph!;
  const whole = create(ModelProtoSchema, {
    irVersion,
    opsetImport,
    functions,
    producerName: 'fusemesh',
    graph: {
      name: graph.name,
      node: [...graph.node, ...appended.node],
      initializer: [...graph.initializer, ...appended.initializer],
      sparseInitializer: graph.sparseInitializer,
      valueInfo: graph.valueInfo,
      input: [...graph.input, ...appended.input.filter(({ name }) => name !== input.name)],
      output: appended.output,
    },
  });
  return toBinary(ModelProtoSchema, whole);
}
