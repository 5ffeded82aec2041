import { serveWorker } from '../model/runtime/worker.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { minimumEditDistanceMap } from './fusellm/fusellm.ts';
import type { Fusion } from './fusion-of-run.ts';
import { exactVocabularyMap } from './vocabulary/exact-map.ts';
import { prefixVocabularyMap } from './vocabulary/prefix-map.ts';
import { type SourceVocabulary, sourceVocabulary } from './vocabulary/source-vocabulary.ts';

const methods = {
  /** Takes seconds for large vocabularies. */
  async build(
    sourceJson: Uint8Array,
    targetJson: Uint8Array,
    kind: Fusion['vocabulary'],
  ): Promise<SourceVocabulary> {
    const [source, target] = [Tokenizer.fromJson(sourceJson), Tokenizer.fromJson(targetJson)];
    return sourceVocabulary(await vocabularyMap(source, target, kind), source, target);
  },
};

async function vocabularyMap(
  source: Tokenizer,
  target: Tokenizer,
  kind: Fusion['vocabulary'],
): Promise<Int32Array> {
  switch (kind) {
    case 'exact':
      return exactVocabularyMap(source, target);
    case 'minED':
      return minimumEditDistanceMap(source, target);
    case 'prefix':
      return prefixVocabularyMap(source, target);
  }
}

export type VocabularyMethods = typeof methods;
serveWorker(methods);
