import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { fromFloat16 } from '../../numbers/float16.ts';
import type { TextDistribution as TextDistributionMessage } from '../generated/fusemesh/v1/distribution_pb.ts';
import { packedLength, unpackBits } from './bit-packing.ts';
import { unpackRows } from './candidate-rows.ts';
import { massUnits } from './encode-text-distribution.ts';
import { distributionVersion, refuseOtherDistributions } from './schema-version.ts';
import { unpackSpans } from './spans.ts';
import { refusedDistribution, type TextDistribution } from './text-distribution.ts';

/** What a message of version 2 has room for: in version 3 a row of any k takes three bytes or more, and 8 k in memory. */
const mostCandidates = 2 ** 26;

/**
 * A teacher's distributions from the wire, of either version. Where a row was sent with fewer than k candidates, what is
 * missing is its likeliest one again, at a log-probability of −Infinity.
 *
 * @throws FuseMeshError data_loss when the columns contradict one another
 */
export function decodeTextDistribution(message: TextDistributionMessage): TextDistribution {
  const { teacher, tokenizerFingerprint, refusal } = message;
  const document = Number(message.document);
  const of = `Distributions of document ${document} by ${teacher.slice(0, 80) || 'a teacher without a name'}`;
  refuseOtherDistributions(message.schemaVersion, of);
  const refuse = (what: string): never => {
    throw new FuseMeshError('data_loss', `${of} are damaged: ${what}.`);
  };
  refuseDamaged(message, refuse);
  if (refusal !== '') return refusedDistribution({ document, teacher, tokenizerFingerprint }, refusal);
  const { tokenCount: n, topK: k, idBits } = message;
  const keptMass = unpackMass(message.keptMass);
  const { starts, ends } = unpackSpans({ gaps: message.spanGaps, lengths: message.spanLengths });
  return {
    document,
    teacher,
    tokenizerFingerprint,
    topK: k,
    tokenIds: unpackBits(message.tokenIds, n, idBits),
    starts,
    ends,
    ...(message.schemaVersion === distributionVersion.all
      ? {
          candidateIds: unpackBits(message.candidateIds, n * k, idBits),
          logProbabilities: fromFloat16(alignedHalves(message.candidateLogProbabilities)),
        }
      : unpackRows({ candidates: message.candidates, keptMass }, k, idBits, refuse)),
    tokenLogProbabilities: fromFloat16(alignedHalves(message.tokenLogProbabilities)),
    keptMass,
    crossEntropy: message.crossEntropy,
    predictedTokens: message.predictedTokens,
    predictedBytes: message.predictedBytes,
  };
}

function refuseDamaged(message: TextDistributionMessage, refuse: (what: string) => never): void {
  const { tokenCount: n, topK: k, idBits, spanGaps, spanLengths, candidates } = message;
  if (!Number.isSafeInteger(Number(message.document))) refuse(`document is ${message.document}`);
  if (message.refusal !== '') {
    if (n > 0 || k > 0) refuse('refusal stands beside columns');
    return;
  }
  if (n === 0) refuse('token_count is 0');
  if (idBits < 1 || idBits > 31) refuse(`id_bits is ${idBits}`);
  if (k < 1) refuse('top_k is 0');
  const all = message.schemaVersion === distributionVersion.all;
  if (all && candidates.length > 0) refuse('candidates stands in a message of version 2');
  const columns: readonly [name: string, length: number, expected: number][] = [
    ['token_ids', message.tokenIds.length, packedLength(n, idBits)],
    ['span_lengths', spanLengths.length, n],
    ['span_gaps', spanGaps.length, spanGaps.length === 0 ? 0 : n],
    ['candidate_ids', message.candidateIds.length, all ? packedLength(n * k, idBits) : 0],
    ['candidate_log_probabilities', message.candidateLogProbabilities.length, all ? 2 * n * k : 0],
    ['token_log_probabilities', message.tokenLogProbabilities.length, 2 * n],
    ['kept_mass', message.keptMass.length, 2 * n],
  ];
  for (const [name, length, expected] of columns) {
    if (length !== expected) refuse(`${name} has length ${length} instead of ${expected}`);
  }
  if (n * k > mostCandidates) refuse(`top_k is ${k} of ${n} tokens, more than ${mostCandidates} in all`);
}

function unpackMass(packed: Uint8Array): Float32Array {
  const mass = new Float32Array(packed.length >> 1);
  for (let i = 0; i < mass.length; i++) mass[i] = (packed[2 * i] | (packed[2 * i + 1] << 8)) / massUnits;
  return mass;
}

/** A copy, since the bytes may begin anywhere in what a socket gave, and a Uint16Array may not. */
const alignedHalves = (bytes: Uint8Array): Uint16Array => new Uint16Array(new Uint8Array(bytes).buffer);
