import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { TextDistribution } from './text-distribution.ts';

/** What the reader knows of a teacher's distributions before they come. */
export interface ExpectedDistribution {
  /** The teacher's name in the run. */
  readonly teacher: string;
  /** SHA-256 of its tokenizer. */
  readonly fingerprint: Uint8Array;
  /** Vocabulary size of its tokenizer: every token id is below it. */
  readonly tokens: number;
  /** Vocabulary size of its model, which may exceed its tokenizer's: every candidate id is below it. */
  readonly candidates: number;
  /** How many documents the run has. */
  readonly documents: number;
}

/** In float16 the logarithm of a probability of 1 may come out slightly above 0. */
const aboveZero = 2 ** -10;

/**
 * Makes the check of one teacher's distributions: they must belong to this teacher and to a document of the run, and
 * every id, probability and span must be possible. It takes one pass over the columns.
 *
 * @returns a check that throws FuseMeshError data_loss with a reason that names the field
 */
export function distributionCheck(expected: ExpectedDistribution): (distribution: TextDistribution) => void {
  const seen: SeenIds = { row: 0, lastRow: new Int32Array(expected.candidates) };
  return (distribution) => {
    const refuse = (what: string): never => {
      throw new FuseMeshError(
        'data_loss',
        `Distributions of document ${distribution.document} by ${expected.teacher} cannot be used: ${what}.`,
      );
    };
    refuseForeign(distribution, expected, refuse);
    if (distribution.refusal !== undefined) return;
    refuseTokens(distribution, expected, refuse);
    refuseSums(distribution, refuse);
    refuseCandidates(distribution, seen, refuse);
  };
}

/** Finds ids that come twice in a row, without clearing anything between rows. */
interface SeenIds {
  /** Counts all rows that were ever checked. */
  row: number;
  /** [vocabulary] the last row that had the id. */
  readonly lastRow: Int32Array;
}

const lastOfRows = 2 ** 31 - 1;

type Refuse = (what: string) => never;

function refuseForeign(
  { document, teacher, tokenizerFingerprint }: TextDistribution,
  expected: ExpectedDistribution,
  refuse: Refuse,
): void {
  if (teacher !== expected.teacher) refuse(`teacher is ${JSON.stringify(teacher.slice(0, 80))}`);
  if (document >= expected.documents) refuse(`document is beyond the ${expected.documents} of the run`);
  if (Buffer.compare(tokenizerFingerprint, expected.fingerprint) !== 0) {
    refuse('tokenizer_fingerprint is that of another tokenizer');
  }
}

function refuseTokens(distribution: TextDistribution, expected: ExpectedDistribution, refuse: Refuse): void {
  const { tokenIds, starts, ends, tokenLogProbabilities } = distribution;
  for (let i = 0, start = 0, end = 0; i < tokenIds.length; i++) {
    if (tokenIds[i] >= expected.tokens) {
      refuse(`token_ids has ${tokenIds[i]} where the tokenizer has ${expected.tokens}`);
    }
    if (starts[i] < start || ends[i] < end || ends[i] < starts[i]) {
      refuse(
        `span_lengths and span_gaps make token ${i} stand at ${starts[i]} to ${ends[i]}, behind ${start} to ${end}`,
      );
    }
    start = starts[i];
    end = ends[i];
    if (!(tokenLogProbabilities[i] <= aboveZero)) {
      refuse(`token_log_probabilities has ${tokenLogProbabilities[i]} at token ${i}`);
    }
  }
}

function refuseSums({ tokenIds, tokenLogProbabilities, ...sums }: TextDistribution, refuse: Refuse): void {
  const { crossEntropy, predictedTokens } = sums;
  const n = tokenIds.length;
  if (!Number.isFinite(crossEntropy)) refuse(`cross_entropy is ${crossEntropy}`);
  if (predictedTokens > n) refuse(`predicted_tokens is ${predictedTokens} of ${n}`);
  let sum = 0;
  for (let i = 0; i < n; i++) sum -= tokenLogProbabilities[i];
  // Twice what rounding to float16 may change. A log-probability that overflows float16 leaves nothing to compare.
  if (Math.abs(sum - crossEntropy) > 2 ** -10 * Math.abs(crossEntropy) + n * aboveZero && sum < Infinity) {
    refuse(`cross_entropy is ${crossEntropy}, token_log_probabilities make ${sum}`);
  }
}

function refuseCandidates(
  { topK, candidateIds, logProbabilities }: TextDistribution,
  seen: SeenIds,
  refuse: Refuse,
): void {
  const { lastRow } = seen;
  const size = lastRow.length;
  if (topK > size) refuse(`top_k is ${topK} where the vocabulary has ${size}`);
  for (let begin = 0; begin < candidateIds.length; begin += topK) {
    if (seen.row === lastOfRows) {
      lastRow.fill(0);
      seen.row = 0;
    }
    const row = ++seen.row;
    let previous = aboveZero;
    for (let i = begin; i < begin + topK; i++) {
      const id = candidateIds[i];
      if (id >= size) refuse(`candidate_ids has ${id} where the vocabulary has ${size}`);
      const value = logProbabilities[i];
      // A row with fewer candidates is filled up with an id that it has.
      if (lastRow[id] === row && value > Number.NEGATIVE_INFINITY) {
        refuse(`candidate_ids has ${id} twice after token ${begin / topK}`);
      }
      lastRow[id] = row;
      if (!(value <= previous)) {
        refuse(
          i === begin || Number.isNaN(value)
            ? `candidate_log_probabilities has ${value} after token ${begin / topK}`
            : `candidate_log_probabilities rise after token ${begin / topK}`,
        );
      }
      previous = value;
    }
  }
}

/**
 * Why a teacher's distributions cannot be of this document; undefined where they can.
 *
 * @param distribution one whose spans rise
 * @param end where the last token may end: the text's UTF-8 bytes, or where the last turn or what a template puts
 *   behind it does
 */
export function unfitFor(
  { ends, predictedBytes, refusal }: Pick<TextDistribution, 'ends' | 'predictedBytes' | 'refusal'>,
  end: { readonly least: number; readonly most: number },
): string | undefined {
  if (refusal !== undefined) return undefined;
  const last = ends[ends.length - 1];
  const { least, most } = end;
  if (last < least || last > most) return `span_lengths end at ${last}, the text at ${most}`;
  if (predictedBytes > most) return `predicted_bytes is ${predictedBytes}, the text has ${most}`;
  return undefined;
}
