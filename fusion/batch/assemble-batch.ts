import type { TrainingBatch } from '../../engine/training-batch.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { learnt } from '../../model/chat/learning.ts';
import { learntLoss } from '../../model/chat/learnt-loss.ts';
import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import type { Rollout } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { type AlignedSource, emptyCount, type FusionCount, fuseDocument } from '../fuse/fuse-document.ts';
import type { FusionSettings } from '../fuse/fusion-settings.ts';
import type { UsableDocument } from './joined-document.ts';
import { type JudgedRollout, judgedRollout } from './judged-rollout.ts';

/** How a source relates to the target: aligns what it says about a content and reads it in the target's tokens. */
export type SourceRelation = (
  target: Tokenization,
  source: TextDistribution,
  content: Content,
  isRollout: boolean,
) => AlignedSource;

/** A document with all that is to be learnt from it; its distributions are in the order of the relations. */
export interface DocumentToLearn extends UsableDocument {
  /** Under the target's tokenizer. */
  readonly tokenization: Tokenization;
}

/** A batch, and what metrics and reports say of its fusion. */
export interface AssembledBatch {
  readonly batch: TrainingBatch;
  readonly count: FusionCount;
  /** Their numbers in the run. */
  readonly documents: readonly number[];
  /** Index of the source that counts most in each document; −1 where the text alone teaches. */
  readonly chosenSources: readonly number[];
  /** By document: indices of the sources that say nothing about it. */
  readonly absentSources: readonly (readonly number[])[];
  /** Those of the documents that the target wrote, in order. */
  readonly rollouts: readonly JudgedRollout[];
}

/** A document in a batch, with the source that counts most in it. */
export interface LearntDocument extends Omit<DocumentToLearn, 'distributions'> {
  readonly distribution: TextDistribution;
  /** Its alignment with that source. */
  align(): AlignedSource;
  /** The batch's row of its first token. */
  readonly begin: number;
}

/** What a batch may hold. */
export interface BatchSizes {
  /** Most tokens of a document. */
  readonly contextLength: number;
  /** K, candidates of a fused distribution. */
  readonly candidates: number;
}

/**
 * Lays documents out for the engine, back to back, and fuses what their sources say at the positions where
 * they are aligned. What the target wrote itself is learnt from those who judge it alone: from the source that the
 * document names, whatever the settings say, or from those that they choose; where these say nothing, nothing is learnt.
 *
 * @param documents none of them longer than the context
 * @param relations undefined for a source whose tokenizer is unknown yet
 * @returns the batch with the last of the documents that a source teaches, for the page's picture of an alignment
 */
export function assembleBatch(
  documents: readonly DocumentToLearn[],
  relations: readonly (SourceRelation | undefined)[],
  settings: FusionSettings,
  { candidates }: Pick<BatchSizes, 'candidates'>,
): AssembledBatch & { readonly last: LearntDocument | undefined } {
  const lengths = documents.map(({ tokenization }) => tokenization.ids.length);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const batch: TrainingBatch = {
    lengths,
    candidates,
    inputIds: new Int32Array(tokens),
    labels: new Int32Array(tokens).fill(-1),
    fusedIds: new Int32Array(tokens * candidates),
    fusedProbabilities: new Float32Array(tokens * candidates),
    fusedTail: new Float32Array(tokens),
    isRollout: documents.some(({ rollout }) => rollout) ? new Uint8Array(tokens) : undefined,
  };
  const count = emptyCount(relations.length);
  const chosenSources: number[] = [];
  const absentSources: (readonly number[])[] = [];
  const rollouts: JudgedRollout[] = [];
  let last: LearntDocument | undefined;
  let begin = 0;
  for (const { number, content, tokenization, distributions, rollout } of documents) {
    const { ids, doubtful } = tokenization;
    const mask = learnt(content, tokenization);
    batch.inputIds.set(ids, begin);
    count.doubtful += doubtful;
    for (let i = 1; i < ids.length; i++) if (mask?.[i] !== 0) batch.labels[begin + i - 1] = ids[i];
    const sources = distributions.map((distribution, s) => {
      const relation = relations[s];
      if (distribution === undefined || relation === undefined) return undefined;
      return {
        distribution: ofWhatIsLearnt(content, distribution),
        align: () => relation(tokenization, distribution, content, rollout !== undefined),
      };
    });
    const own = rollout && settingsOfRollout(rollout, settings);
    const judges = sources.map((source) => (mayJudge(source?.distribution, rollout) ? source : undefined));
    const weights = fuseDocument({ ids, learnt: mask }, judges, own ?? settings, batch, begin, count);
    const most = Math.max(...weights);
    const chosen = most > 0 ? weights.indexOf(most) : -1;
    chosenSources.push(chosen);
    absentSources.push(sources.flatMap((source, s) => (source === undefined ? [s] : [])));
    const teaching = sources[chosen];
    if (teaching !== undefined) last = { number, content, tokenization, begin, ...teaching };
    if (rollout) {
      batch.isRollout?.fill(1, begin, begin + ids.length);
      const judge = teaching && { source: chosen, crossEntropy: teaching.distribution.crossEntropy };
      rollouts.push(judgedRollout({ number, content, ids, learnt: mask, rollout }, judge));
    }
    begin += ids.length;
  }
  return {
    batch,
    count,
    chosenSources,
    absentSources,
    rollouts,
    last,
    documents: documents.map(({ number }) => number),
  };
}

const mayJudge = (distribution: TextDistribution | undefined, rollout: Rollout | undefined): boolean =>
  !rollout?.teacher || distribution?.teacher === rollout.teacher;

/** As {@link FusionSettings.unaligned} would have it, the target would learn its own text by itself. */
const settingsOfRollout = ({ teacher }: Rollout, settings: FusionSettings): FusionSettings => ({
  ...settings,
  unaligned: 'nothing',
  truncated: 'tail',
  ...(teacher !== '' && { combine: 'minCE', standIn: undefined }),
});

/**
 * A source's distributions with the likelihood of what is learnt alone: how well a source predicts what a user says tells
 * nothing about it as a teacher of answers. A text's are as they came.
 */
function ofWhatIsLearnt(content: Content, distribution: TextDistribution): TextDistribution {
  if (typeof content === 'string') return distribution;
  const { starts, ends } = distribution;
  const mask = learnt(content, distribution);
  // What a template writes has no place in what is said.
  const tokenLogProbabilities = distribution.tokenLogProbabilities.map((value, i) =>
    mask?.[i] === 0 || ends[i] === starts[i] ? 0 : value,
  );
  const crossEntropies = tokenLogProbabilities.map((value) => -value);
  return { ...distribution, tokenLogProbabilities, ...learntLoss(content, distribution, crossEntropies) };
}
