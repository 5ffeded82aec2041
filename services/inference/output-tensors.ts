import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ModelInferResponseSchema } from '../../wire/generated/inference/grpc_predict_v2_pb.ts';

/** A tensor that a model gives. */
export type OutputTensor = { readonly name: string; readonly shape: readonly bigint[] } & (
  | { readonly datatype: 'BYTES'; readonly values: readonly string[] }
  | { readonly datatype: 'FP32'; readonly values: Float32Array }
  | { readonly datatype: 'INT64'; readonly values: BigInt64Array }
);

/** @param raw whether the values stand in raw_output_contents, as the request's stood in raw_input_contents */
export function outputFields(
  outputs: readonly OutputTensor[],
  raw: boolean,
): Pick<MessageInitShape<typeof ModelInferResponseSchema>, 'outputs' | 'rawOutputContents'> {
  const described = outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] }));
  if (raw) return { outputs: described, rawOutputContents: outputs.map(rawOf) };
  return { outputs: described.map((one, i) => ({ ...one, contents: contentsOf(outputs[i]) })) };
}

function contentsOf(output: OutputTensor) {
  switch (output.datatype) {
    case 'BYTES':
      return { bytesContents: output.values.map((text) => Buffer.from(text)) };
    case 'FP32':
      return { fp32Contents: [...output.values] };
    case 'INT64':
      return { int64Contents: [...output.values] };
  }
}

/** Little-endian, as every machine that Node.js runs on; each item of BYTES behind its length. */
function rawOf(output: OutputTensor): Uint8Array {
  if (output.datatype !== 'BYTES') {
    const { buffer, byteOffset, byteLength } = output.values;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  return Buffer.concat(
    output.values.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}
