import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import {
  type TextDistribution as TextDistributionMessage,
  TextDistributionSchema,
} from '../generated/fusemesh/v1/distribution_pb.ts';
import { decodeTextDistribution } from './decode-text-distribution.ts';
import { encodeTextDistribution } from './encode-text-distribution.ts';
import type { TextDistribution } from './text-distribution.ts';
import { wireFields } from './wire-fields.ts';

/** In one document. */
const mostTokens = 2 ** 20;
/** A gap and a length of 32 bits each, as variable-length numbers; a negative gap is written as a small one. */
const mostSpanBytes = 10;
const fields = TextDistributionSchema.field;

/** A teacher's distributions as the bytes of a NATS message; see {@link encodeTextDistribution}. */
export function distributionToBytes(
  distribution: TextDistribution,
  vocabularySize: number,
  topP?: number,
): Uint8Array {
  return toBinary(TextDistributionSchema, encodeTextDistribution(distribution, vocabularySize, topP));
}

/** @throws FuseMeshError data_loss when the bytes are no distributions or damaged ones */
export function distributionFromBytes(bytes: Uint8Array): TextDistribution {
  let message: TextDistributionMessage;
  try {
    refuseTooLong(bytes);
    message = fromBinary(TextDistributionSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new FuseMeshError(
      'data_loss',
      `A message of ${bytes.length} bytes holds no distributions: ${reason}.`,
      { cause },
    );
  }
  return decodeTextDistribution(message);
}

/**
 * Decoding turns every byte of the spans into a number of eight bytes, so their size is compared with the number of
 * tokens first.
 */
function refuseTooLong(bytes: Uint8Array): void {
  let tokens = 0;
  let spanBytes = 0;
  for (const { number, size } of wireFields(bytes)) {
    if (number === fields.tokenCount.number) tokens = size;
    if (number === fields.spanGaps.number || number === fields.spanLengths.number) spanBytes += size;
  }
  if (tokens > mostTokens) throw new RangeError(`token_count is ${tokens}, more than ${mostTokens}`);
  if (spanBytes > mostSpanBytes * tokens) {
    throw new RangeError(`span_lengths and span_gaps have ${spanBytes} bytes for ${tokens} tokens`);
  }
}
