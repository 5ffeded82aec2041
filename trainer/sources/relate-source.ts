import type { Log } from '../../mesh/log/log.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { alignBySharedBoundaries, alignWithItself } from '../align/alignment.ts';
import { prefixVocabularyMap } from '../align/prefix-map.ts';
import { sameVocabulary, sourceVocabulary } from '../align/source-vocabulary.ts';
import { exactVocabularyMap } from '../align/vocabulary-map.ts';
import type { SourceRelation } from '../batch/assemble-batch.ts';
import type { Fusion } from '../fusion-of-run.ts';

/** How a source goes with the target, as the run asks for; the log says how well their vocabularies do. */
export async function relateSource(
  name: string,
  source: Tokenizer,
  target: Tokenizer,
  fusion: Fusion,
  log: Log,
): Promise<SourceRelation> {
  if (Buffer.compare(source.fingerprint, target.fingerprint) === 0) {
    return {
      vocabulary: sameVocabulary(source.vocabularySize),
      align: ({ ids, ends }, tokens) =>
        tokens.tokenIds.length === ids.length
          ? alignWithItself(ids.length)
          : alignBySharedBoundaries(ends, tokens),
    };
  }
  const ids = await vocabularyMap(source, target, fusion.vocabulary);
  const vocabulary = await sourceVocabulary(ids, source, target);
  const exact = vocabulary.exact.reduce((count, one) => count + one, 0);
  log.info(
    { teacher: name, exact, vocabulary: ids.length },
    `The target has ${exact} of the ${ids.length} tokens of teacher ${name}`,
  );
  return { vocabulary, align: ({ ends }, tokens) => alignBySharedBoundaries(ends, tokens) };
}

async function vocabularyMap(
  source: Tokenizer,
  target: Tokenizer,
  kind: Fusion['vocabulary'],
): Promise<Int32Array> {
  switch (kind) {
    case 'exact':
      return exactVocabularyMap(source, target);
    default:
      return prefixVocabularyMap(source, target);
  }
}
