import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { toFloat16 } from '../../numbers/float16.ts';
import {
  type TextDistribution as TextDistributionMessage,
  TextDistributionSchema,
} from '../generated/fusemesh/v1/distribution_pb.ts';
import { bitsFor, packBits } from './bit-packing.ts';
import { packRows } from './candidate-rows.ts';
import { distributionVersion } from './schema-version.ts';
import { packSpans } from './spans.ts';
import type { TextDistribution } from './text-distribution.ts';

/** Unit of the kept mass on the wire. */
export const massUnits = 65535;

/**
 * The wire form of a teacher's distributions. Kept masses are rounded to 1/65535, log-probabilities to float16; those of
 * candidates are in 8 bits where `topP` says which are sent.
 *
 * @param vocabularySize of the teacher; every id is below it
 * @param topP the fewest candidates of each row that hold this share of the mass of all of them are sent, above 0 up to 1,
 *   as {@link packRows} does it; left out, all are
 * @throws FuseMeshError invalid_argument when an id is outside the vocabulary, or stands twice in a row of a `topP`
 */
export function encodeTextDistribution(
  distribution: TextDistribution,
  vocabularySize: number,
  topP?: number,
): TextDistributionMessage {
  const { starts, ends } = distribution;
  const idBits = bitsFor(vocabularySize);
  const spans = packSpans(starts, ends);
  return create(TextDistributionSchema, {
    document: BigInt(distribution.document),
    teacher: distribution.teacher,
    tokenizerFingerprint: distribution.tokenizerFingerprint,
    tokenCount: distribution.tokenIds.length,
    topK: distribution.topK,
    idBits,
    spanGaps: spans.gaps,
    spanLengths: spans.lengths,
    ...inVocabulary(vocabularySize, () => ({
      tokenIds: packBits(distribution.tokenIds, idBits),
      ...packCandidates(distribution, idBits, topP),
    })),
    tokenLogProbabilities: packFloat16(distribution.tokenLogProbabilities),
    crossEntropy: distribution.crossEntropy,
    predictedTokens: distribution.predictedTokens,
    predictedBytes: distribution.predictedBytes,
    refusal: distribution.refusal ?? '',
  });
}

/** The columns that differ between the versions of the message. */
function packCandidates(
  distribution: TextDistribution,
  idBits: number,
  topP: number | undefined,
): MessageInitShape<typeof TextDistributionSchema> {
  if (topP === undefined || distribution.refusal !== undefined) {
    return {
      schemaVersion: distributionVersion.all,
      candidateIds: packBits(distribution.candidateIds, idBits),
      candidateLogProbabilities: packFloat16(distribution.logProbabilities),
      keptMass: packMass(distribution.keptMass),
    };
  }
  const { candidates, keptMass } = packRows(distribution, topP, idBits);
  return { schemaVersion: distributionVersion.mostMass, candidates, keptMass: packMass(keptMass) };
}

/** @throws FuseMeshError where ids do not fit into the message */
function inVocabulary<T>(vocabularySize: number, pack: () => T): T {
  try {
    return pack();
  } catch (cause) {
    throw new FuseMeshError(
      'invalid_argument',
      `A token id cannot be one of a vocabulary of ${vocabularySize}: ${(cause as Error).message}.`,
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
