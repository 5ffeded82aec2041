import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../model/chat/content-encoder.ts';
import type { Content } from '../model/chat/conversation.ts';
import { startWorker } from '../model/runtime/worker.ts';
import type { Tokenization } from '../model/tokenizer/tokenization.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { Log } from '../process/log/log.ts';
import type { TextDistribution } from '../wire/codec/text-distribution.ts';
import { type Alignment, alignBySharedBoundaries, alignWithItself } from './align/alignment.ts';
import { labelLogProbabilities } from './align/label-log-probabilities.ts';
import { endsOf, withEnds, withoutTemplates } from './align/templates.ts';
import type { SourceRelation } from './batch/assemble-batch.ts';
import { rowsOfLabels } from './fuse/label-row.ts';
import { rowsByBoundary } from './fuse/source-row.ts';
import { rowsByTimeWarping } from './fusellm/fusellm.ts';
import type { Fusion } from './fusion-of-run.ts';
import { type SourceVocabulary, sameVocabulary, withinModel } from './vocabulary/source-vocabulary.ts';
import { cachedVocabulary } from './vocabulary/vocabulary-cache.ts';
import type { VocabularyMethods } from './vocabulary-worker.ts';

/** How a source relates to the target, as the run's fusion asks for. The log says how many tokens they share. */
export async function relateSource(
  name: string,
  sourceEncoder: ContentEncoder,
  targetEncoder: ContentEncoder,
  fusion: Fusion,
  log: Log,
): Promise<SourceRelation> {
  const { temperature } = fusion.settings;
  const drawnAlone = fusion.rolloutDivergence?.kind === 'policyGradient';
  const { tokenizer: source } = sourceEncoder;
  const { tokenizer: target } = targetEncoder;
  const reading = { temperature, drawnAlone, ends: await endsOf(sourceEncoder, targetEncoder) };
  if (Buffer.compare(source.fingerprint, target.fingerprint) === 0) {
    const vocabulary = withinModel(sameVocabulary(source.vocabularySize), target.knownToModel);
    return byBoundary(vocabulary, reading, ({ ids, ends }, tokens, content) =>
      isCutAlike(ids, tokens, content) ? alignWithItself(ids.length) : alignBySharedBoundaries(ends, tokens),
    );
  }
  const pair = { source: source.fingerprint, target: target.fingerprint, kind: fusion.vocabulary };
  const vocabulary = withinModel(
    await cachedVocabulary(pair, () => buildInThread(source, target, fusion.vocabulary), log),
    target.knownToModel,
  );
  const exact = vocabulary.exact.reduce((count, one) => count + one, 0);
  log.info(
    { teacher: name, exact, vocabulary: vocabulary.ids.length },
    `The target has ${exact} of the ${vocabulary.ids.length} tokens of teacher ${name}`,
  );
  if (fusion.align === 'dtw') return textsAlone(rowsByTimeWarping(target, source, vocabulary, temperature));
  return byBoundary(vocabulary, reading, ({ ends }, tokens) => alignBySharedBoundaries(ends, tokens));
}

/** One tokenizer cuts a text in one way; of a conversation two templates may make different texts. */
function isCutAlike(ids: Int32Array, { tokenIds }: TextDistribution, content: Content): boolean {
  if (tokenIds.length !== ids.length) return false;
  return typeof content === 'string' || tokenIds.every((id, i) => id === ids[i]);
}

/** How a source's distributions are read. */
interface Reading {
  readonly temperature: number;
  /** Whether of what the target wrote just the probability of each drawn token counts. */
  readonly drawnAlone: boolean;
  readonly ends: Awaited<ReturnType<typeof endsOf>>;
}

const byBoundary = (
  vocabulary: SourceVocabulary,
  { temperature, drawnAlone, ends }: Reading,
  align: (target: Tokenization, source: TextDistribution, content: Content) => Alignment,
): SourceRelation => {
  const ofTurns = withEnds(vocabulary, ends.ofTurns);
  const ofTexts = withEnds(vocabulary, ends.ofTexts);
  const vocabularyOf = (content: Content): SourceVocabulary => {
    if (typeof content === 'string') return vocabulary;
    return content.turns.every(({ role }) => role === '') ? ofTexts : ofTurns;
  };
  return (target, source, content, isRollout) => {
    const found = align(target, source, content);
    const alignment = typeof content === 'string' ? found : withoutTemplates(found, target, source, content);
    const read =
      drawnAlone && isRollout
        ? rowsOfLabels(alignment, labelLogProbabilities(found.rows, source.tokenLogProbabilities))
        : rowsByBoundary(source, alignment, vocabularyOf(content), temperature);
    return { rows: alignment.rows, read };
  };
};

/** FuseLLM aligns tokens by their spelling, the templates' own among them. */
const textsAlone =
  (relation: SourceRelation): SourceRelation =>
  (target, source, content, isRollout) => {
    if (typeof content === 'string') return relation(target, source, content, isRollout);
    throw new FuseMeshError(
      'failed_precondition',
      'fusion.align dtw aligns plain texts alone, and the corpus has conversations: set fusion.align: boundary.',
    );
  };

/** In a thread of its own, so that this one still answers gRPC and NATS. */
async function buildInThread(
  source: Tokenizer,
  target: Tokenizer,
  kind: Fusion['vocabulary'],
): Promise<SourceVocabulary> {
  const file = new URL('./vocabulary-worker.ts', import.meta.url);
  const { remote, stop } = startWorker<VocabularyMethods>(file);
  try {
    return await remote.build(source.json, target.json, kind);
  } finally {
    await stop();
  }
}
