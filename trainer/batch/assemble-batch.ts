import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import { alignByBoundary, alignIdentically, NOT_ALIGNED } from '../align/boundary.ts';
import type { TrainingBatch } from '../engine/training-batch.ts';
import type { BatchSizes } from '../engine/training-graph.ts';
import { fuseRow } from '../fuse/fuse-row.ts';
import { chooseByMinimumCrossEntropy } from '../fuse/minimum-cross-entropy.ts';

/** How a source's tokens relate to the target's. */
export interface SourceVocabulary {
  /** [source vocabulary] id in the target's vocabulary, or −1. */
  readonly map: Int32Array;
  /** Whether source and target have one tokenizer, so that their rows are the same rows. */
  readonly isTargets: boolean;
}

/** A document with all that is to be learnt from it. */
export interface DocumentToLearn {
  /** Its number in the run, for messages. */
  readonly number: number;
  /** Under the target's tokenizer. */
  readonly tokenization: Tokenization;
  /** What the sources say about it, in the order of their vocabularies. */
  readonly distributions: readonly TextDistribution[];
}

/** A batch, and what is to be told about how it came about. */
export interface AssembledBatch {
  readonly batch: TrainingBatch;
  /** Positions with a label. */
  readonly tokens: number;
  /** How many of them have a fused distribution. */
  readonly alignedTokens: number;
  /** Index of the source that teaches each document. */
  readonly chosenSources: readonly number[];
}

/**
 * Lays documents out for the engine, a row each, and fuses what their sources say: the source of least
 * cross-entropy teaches the whole document, at the positions where its tokens meet the target's. Rows
 * without a document have nothing to learn.
 *
 * @throws FuseMeshError invalid_argument when a document has more tokens than the batch has positions
 */
export function assembleBatch(
  documents: readonly DocumentToLearn[],
  vocabularies: readonly SourceVocabulary[],
  { rows, length, candidates }: BatchSizes,
): AssembledBatch {
  const batch: TrainingBatch = {
    rows,
    length,
    candidates,
    inputIds: new Int32Array(rows * length),
    labels: new Int32Array(rows * length).fill(-1),
    fusedIds: new Int32Array(rows * length * candidates),
    fusedProbabilities: new Float32Array(rows * length * candidates),
  };
  const chosenSources: number[] = [];
  let tokens = 0;
  let alignedTokens = 0;
  for (const [row, document] of documents.entries()) {
    const { ids } = document.tokenization;
    if (ids.length > length) {
      throw new FuseMeshError(
        'invalid_argument',
        `Document ${document.number} has ${ids.length} tokens in the target's tokenizer, contextLength is ${length}: feed the corpus again under another run name.`,
      );
    }
    const begin = row * length;
    batch.inputIds.set(ids, begin);
    batch.labels.set(ids.subarray(1), begin);
    tokens += Math.max(0, ids.length - 1);

    const chosen = chooseByMinimumCrossEntropy(document.distributions);
    chosenSources.push(chosen);
    const source = document.distributions[chosen];
    alignedTokens += fuseDocument(document.tokenization, source, vocabularies[chosen], batch, begin);
  }
  return { batch, tokens, alignedTokens, chosenSources };
}

/** Fuses one document's rows into the batch from position `begin` on; returns how many it could. */
function fuseDocument(
  target: Tokenization,
  source: TextDistribution,
  vocabulary: SourceVocabulary,
  batch: TrainingBatch,
  begin: number,
): number {
  const same = vocabulary.isTargets && source.tokenIds.length === target.ids.length;
  const aligned = same ? alignIdentically(target.ids.length) : alignByBoundary(target.ends, source.ends);
  const rows = {
    topK: source.topK,
    candidateIds: source.candidateIds,
    logProbabilities: source.logProbabilities,
    vocabularyMap: vocabulary.map,
  };
  let fused = 0;
  // The last token has no successor in the text: nothing is learnt there.
  for (let position = 0; position < aligned.length - 1; position++) {
    const row = aligned[position];
    if (row !== NOT_ALIGNED && fuseRow(rows, row, batch, begin + position)) fused++;
  }
  return fused;
}
