import type { Value } from '../graph.ts';
import type { Named, OnnxAttribute, OnnxWriter } from '../onnx-writer.ts';

interface Written<Parameters> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly parameters: Parameters;
}

/** How an operator writes itself that ONNX has under the name `opType`. */
export const writtenAs =
  <Parameters>(
    opType: string,
    attributes: (parameters: Parameters) => Readonly<Record<string, OnnxAttribute>> = () => ({}),
    domain?: string,
  ) =>
  (onnx: OnnxWriter, { inputs, outputs, parameters }: Written<Parameters>): void => {
    onnx.add(opType, inputs, attributes(parameters), outputs, domain);
  };

/** int64 values as int32, which WebGPU computes with; others as they are. */
export const asInt32 = (onnx: OnnxWriter, x: Value): Named =>
  x.elementType === 'int64' ? onnx.add('Cast', [x], { to: { elementType: 'int32' } }) : x;

/** An int64 tensor of rank 1 under a name, for operators that take their axes or sizes as an input. */
export const integersAs = (onnx: OnnxWriter, name: string, values: readonly number[]): string =>
  onnx.add('Constant', [], { value_ints: values }, name);
