import type { Scorer } from '../../../model/scoring/scorer.ts';
import { distributionToBytes } from '../../../wire/codec/distribution-bytes.ts';
import type { Recording } from './recording-file.ts';
import { refuseStopped } from './refuse-stopped.ts';

/** A teacher's batch where the run file says nothing. */
const batchDocuments = 8;

/** What a teacher would send about these texts, as documents 0, 1, 2, … */
export async function scoreTexts(
  scorer: Scorer,
  teacher: string,
  texts: readonly string[],
  topK: number,
  signal: AbortSignal,
): Promise<Recording> {
  const { tokenizer, card } = scorer;
  const messages: Uint8Array[] = [];
  for (let begin = 0; begin < texts.length; begin += batchDocuments) {
    refuseStopped(signal);
    for (const scored of await scorer.score(texts.slice(begin, begin + batchDocuments), topK)) {
      const { fingerprint: tokenizerFingerprint } = tokenizer;
      const distribution = { ...scored, document: messages.length, teacher, tokenizerFingerprint };
      messages.push(distributionToBytes(distribution, card.vocabularySize));
    }
  }
  return messages;
}
