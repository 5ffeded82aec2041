import { contentEnd } from '../../../model/chat/content-layout.ts';
import { contentOf } from '../../../model/chat/conversation.ts';
import { unfitFor } from '../../../wire/codec/check-distribution.ts';
import type { DeadLetter, IncomingDocument } from '../../../wire/nats/run-streams.ts';
import type { LookAhead, SourceQueue } from '../read/look-ahead.ts';
import { type DeadLetters, putAside } from '../read/put-aside.ts';

/**
 * Compares the distributions that have come for the next document with its text. They come by streams of their own, so
 * this can be done no earlier. A distribution of another text counts as not delivered, and goes to the dead
 * letters.
 *
 * @returns undefined where there is none
 */
export function withdrawUnfit(
  documents: LookAhead<IncomingDocument>,
  sources: readonly SourceQueue[],
  deadLetters: DeadLetters,
): Promise<void> | undefined {
  const document = documents.peek(documents.nextNumber);
  if (document === undefined || document.unusable !== undefined) return undefined;
  const letters: DeadLetter[] = [];
  const end = contentEnd(contentOf(document));
  for (const { name, distributions } of sources) {
    const distribution = distributions.peek(distributions.nextNumber);
    const unfit = distribution && unfitFor(distribution, end);
    // What a source answered by gRPC has no message, and was compared when it came.
    const message = unfit === undefined ? undefined : distributions.messageOf(distributions.nextNumber);
    if (message === undefined) continue;
    distributions.withdraw();
    const { position } = message;
    const reason = `Distributions of document ${document.number} by ${name} are not of its text: ${unfit}.`;
    deadLetters.log.warn({ teacher: name, position }, reason);
    letters.push({ stream: 'distributions', source: name, position, bytes: message.bytes, reason });
  }
  if (letters.length === 0) return undefined;
  return Promise.all(letters.map((letter) => putAside(letter, deadLetters))).then(() => {});
}
