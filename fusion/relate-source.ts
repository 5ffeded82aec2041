import { startWorker } from '../model/runtime/worker.ts';
import type { Tokenization } from '../model/tokenizer/tokenization.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { Log } from '../process/log/log.ts';
import type { TextDistribution } from '../wire/codec/text-distribution.ts';
import { type Alignment, alignBySharedBoundaries, alignWithItself } from './align/alignment.ts';
import type { SourceRelation } from './batch/assemble-batch.ts';
import { rowsByBoundary } from './fuse/source-row.ts';
import { rowsByTimeWarping } from './fusellm/fusellm.ts';
import type { Fusion } from './fusion-of-run.ts';
import { type SourceVocabulary, sameVocabulary, withinModel } from './vocabulary/source-vocabulary.ts';
import { cachedVocabulary } from './vocabulary/vocabulary-cache.ts';
import type { VocabularyMethods } from './vocabulary-worker.ts';

/** How a source relates to the target, as the run's fusion asks for. The log says how many tokens they share. */
export async function relateSource(
  name: string,
  source: Tokenizer,
  target: Tokenizer,
  fusion: Fusion,
  log: Log,
): Promise<SourceRelation> {
  const { temperature } = fusion.settings;
  if (Buffer.compare(source.fingerprint, target.fingerprint) === 0) {
    const vocabulary = withinModel(sameVocabulary(source.vocabularySize), target.knownToModel);
    return byBoundary(vocabulary, temperature, ({ ids, ends }, tokens) =>
      tokens.tokenIds.length === ids.length
        ? alignWithItself(ids.length)
        : alignBySharedBoundaries(ends, tokens),
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
  return fusion.align === 'dtw'
    ? rowsByTimeWarping(target, source, vocabulary, temperature)
    : byBoundary(vocabulary, temperature, ({ ends }, tokens) => alignBySharedBoundaries(ends, tokens));
}

const byBoundary =
  (
    vocabulary: SourceVocabulary,
    temperature: number,
    align: (target: Tokenization, source: TextDistribution) => Alignment,
  ): SourceRelation =>
  (target, source) => {
    const alignment = align(target, source);
    return { rows: alignment.rows, read: rowsByBoundary(source, alignment, vocabulary, temperature) };
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
