import type { GraphProto } from 'onnx-buf';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { ElementType } from '../../graph/tensor-type.ts';
import { dataTypes } from '../node.ts';
import { declaredTensor, formatTensor } from './declared-tensor.ts';

/** What a model declares of its logits [batch, length, vocabulary]. */
export interface DeclaredLogits {
  readonly elementType: ElementType;
  /** Undefined where the model leaves it open. */
  readonly vocabularySize: number | undefined;
}

const floats: readonly ElementType[] = ['float32', 'float16', 'bfloat16'];

/**
 * @param path of the model's file, for messages
 * @throws FuseMeshError invalid_argument where there are none, or of another form
 */
export function declaredLogits({ output: outputs }: GraphProto, path: string): DeclaredLogits {
  const refusal = (problem: string) => new FuseMeshError('invalid_argument', `${path}: ${problem}`);
  const output = outputs.find(({ name }) => name === 'logits');
  if (!output) {
    const names = outputs.map(({ name }) => name).join(', ');
    throw refusal(
      `it has no output "logits" but ${names}; export it as a model of causal language modelling`,
    );
  }
  const declared = declaredTensor(output);
  const elementType = floats.find((type) => dataTypes[type] === declared?.dataType);
  if (!elementType || (declared?.shape && declared.shape.length !== 3)) {
    throw refusal(
      `its logits are ${formatTensor(declared)}; supported are float, float16 and bfloat16 [batch, length, vocabulary]`,
    );
  }
  const vocabulary = declared?.shape?.[2];
  return { elementType, vocabularySize: typeof vocabulary === 'number' ? vocabulary : undefined };
}
