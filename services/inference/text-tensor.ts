import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ModelInferRequest } from '../../wire/generated/inference/grpc_predict_v2_pb.ts';

/** Most texts of one request. */
const mostTexts = 128;

/** Texts as a client sent them, and in which shape. */
export interface TextTensor {
  readonly texts: readonly string[];
  /** Whose product is the number of texts. */
  readonly shape: readonly bigint[];
}

/**
 * The one input of a request: texts in UTF-8, datatype BYTES.
 *
 * @param name that the input must have
 * @throws FuseMeshError invalid_argument where there is another one, or its shape does not fit
 */
export function readTextTensor({ inputs, rawInputContents }: ModelInferRequest, name: string): TextTensor {
  const [input, ...others] = inputs;
  const wrong = [input, ...others].find((one) => one?.name !== name);
  if (input === undefined || wrong !== undefined || others.length > 0) {
    const names = inputs.map((one) => one.name).join(', ') || 'none';
    throw refusal(`The inputs are ${names}: give ${name} alone`);
  }
  if (input.datatype !== 'BYTES') throw refusal(`${name} is of ${input.datatype}: give BYTES`);
  const [parameter] = Object.keys(input.parameters);
  if (parameter !== undefined)
    throw refusal(`${name} has the parameter ${parameter}, which is not done here`);
  const count = input.shape.reduce((product, size) => product * size, 1n);
  if (input.shape.some((size) => size < 1n) || count > BigInt(mostTexts)) {
    throw refusal(`${name} is of shape [${input.shape.join(', ')}]: give 1 to ${mostTexts} texts`);
  }
  const items =
    rawInputContents.length > 0 ? rawItems(rawInputContents, name) : (input.contents?.bytesContents ?? []);
  if (BigInt(items.length) !== count) {
    throw refusal(`${name} has ${items.length} texts, and its shape is of ${count}`);
  }
  return { texts: items.map((item, i) => textOf(item, `${name}[${i}]`)), shape: input.shape };
}

/** Each item of BYTES stands behind its length, four bytes, the lowest first. */
function rawItems(contents: readonly Uint8Array[], name: string): Uint8Array[] {
  if (contents.length > 1) throw refusal(`raw_input_contents has ${contents.length} tensors for one input`);
  const [bytes] = contents;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + 4 + length > bytes.length) throw refusal(`raw_input_contents of ${name} ends within an item`);
    items.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return items;
}

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refusal(`${name} is not in UTF-8`);
  }
}

const refusal = (problem: string) => new FuseMeshError('invalid_argument', `ModelInfer: ${problem}.`);
