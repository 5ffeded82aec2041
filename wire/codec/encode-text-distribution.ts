import { create } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { toFloat16 } from '../../numbers/float16.ts';
import {
  type TextDistribution as TextDistributionMessage,
  TextDistributionSchema,
} from '../generated/fusemesh/v1/distribution_pb.ts';
import { bitsFor, packBits } from './bit-packing.ts';
import { distributionVersion } from './schema-version.ts';
import { packSpans } from './spans.ts';
import type { TextDistribution } from './text-distribution.ts';

/** Unit of the kept mass on the wire. */
export const massUnits = 65535;

/**
 * The wire form of a teacher's distributions. Log-probabilities are rounded to float16, kept masses to 1/65535.
 *
 * @param vocabularySize of the teacher; every id is below it
 * @throws FuseMeshError invalid_argument when an id is not
 */
export function encodeTextDistribution(
  distribution: TextDistribution,
  vocabularySize: number,
): TextDistributionMessage {
  const { starts, ends } = distribution;
  const idBits = bitsFor(vocabularySize);
  const spans = packSpans(starts, ends);
  return create(TextDistributionSchema, {
    schemaVersion: distributionVersion,
    document: BigInt(distribution.document),
    teacher: distribution.teacher,
    tokenizerFingerprint: distribution.tokenizerFingerprint,
    tokenCount: distribution.tokenIds.length,
    topK: distribution.topK,
    idBits,
    tokenIds: packIds(distribution.tokenIds, idBits, vocabularySize),
    spanGaps: spans.gaps,
    spanLengths: spans.lengths,
    candidateIds: packIds(distribution.candidateIds, idBits, vocabularySize),
    candidateLogProbabilities: packFloat16(distribution.logProbabilities),
    tokenLogProbabilities: packFloat16(distribution.tokenLogProbabilities),
    keptMass: packMass(distribution.keptMass),
    crossEntropy: distribution.crossEntropy,
    predictedTokens: distribution.predictedTokens,
    predictedBytes: distribution.predictedBytes,
    refusal: distribution.refusal ?? '',
  });
}

function packIds(ids: Int32Array, idBits: number, vocabularySize: number): Uint8Array {
  try {
    return packBits(ids, idBits);
  } catch (cause) {
    throw new FuseMeshError(
      'invalid_argument',
      `A token id is outside the vocabulary of ${vocabularySize}: ${(cause as Error).message}.`,
      { cause },
    );
  }
}

const packFloat16 = (values: Float32Array): Uint8Array => new Uint8Array(toFloat16(values).buffer);

function packMass(mass: Float32Array): Uint8Array {
  const packed = new Uint8Array(2 * mass.length);
  for (let i = 0; i < mass.length; i++) {
    // Sums of rounded probabilities may pass 1 by a hair.
    const units = Math.round(Math.min(1, Math.max(0, mass[i])) * massUnits);
    packed[2 * i] = units & 0xff;
    packed[2 * i + 1] = units >>> 8;
  }
  return packed;
}
