import type { Scorer } from '../../../model/scoring/scorer.ts';
import { distributionToBytes } from '../../../wire/codec/distribution-bytes.ts';
import { refuseStopped } from './refuse-stopped.ts';

/** A teacher's batch where the run file says nothing. */
const batchDocuments = 8;

/**
 * What a teacher would send about these texts.
 *
 * @param first number of the first document; the others follow
 */
export async function* scoreTexts(
  scorer: Scorer,
  teacher: string,
  texts: readonly string[],
  {
    topK,
    signal,
    first = 0,
  }: { readonly topK: number; readonly signal: AbortSignal; readonly first?: number },
): AsyncGenerator<Uint8Array> {
  const { tokenizer, card } = scorer;
  for (let begin = 0; begin < texts.length; begin += batchDocuments) {
    refuseStopped(signal);
    for (const [i, scored] of (
      await scorer.score(texts.slice(begin, begin + batchDocuments), topK)
    ).entries()) {
      const { fingerprint: tokenizerFingerprint } = tokenizer;
      const distribution = { ...scored, document: first + begin + i, teacher, tokenizerFingerprint };
      yield distributionToBytes(distribution, card.vocabularySize);
    }
  }
}
