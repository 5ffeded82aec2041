import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import {
  type TextDistribution as TextDistributionMessage,
  TextDistributionSchema,
} from '../generated/fusemesh/v1/distribution_pb.ts';
import { decodeTextDistribution } from './decode-text-distribution.ts';
import { encodeTextDistribution } from './encode-text-distribution.ts';
import type { TextDistribution } from './text-distribution.ts';

/** A teacher's distributions as the bytes of a NATS message; see {@link encodeTextDistribution}. */
export function distributionToBytes(distribution: TextDistribution, vocabularySize: number): Uint8Array {
  return toBinary(TextDistributionSchema, encodeTextDistribution(distribution, vocabularySize));
}

/** @throws FuseMeshError data_loss when the bytes are no distributions or damaged ones */
export function distributionFromBytes(bytes: Uint8Array): TextDistribution {
  let message: TextDistributionMessage;
  try {
    message = fromBinary(TextDistributionSchema, bytes);
  } catch (cause) {
    throw new FuseMeshError('data_loss', `A message of ${bytes.length} bytes holds no distributions.`, {
      cause,
    });
  }
  return decodeTextDistribution(message);
}
