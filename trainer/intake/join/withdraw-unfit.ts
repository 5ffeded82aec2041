import type { Log } from '../../../process/log/log.ts';
import { unfitFor } from '../../../wire/codec/fits-text.ts';
import type { DeadLetter, IncomingDocument, RunStreams } from '../../../wire/nats/run-streams.ts';
import type { IntakeObserver } from '../read/intake-counts.ts';
import type { LookAhead, SourceQueue } from '../read/look-ahead.ts';
import { putAside } from '../read/put-aside.ts';

/** Who hears of what is taken back. */
interface Withdrawing {
  readonly streams: Pick<RunStreams, 'storeDeadLetter'>;
  readonly intake: Pick<IntakeObserver, 'deadLetter'>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Compares what has come for the next document with its text. Distributions and texts come by streams of their own,
 * so this can be done no earlier. A distribution of another text counts as not delivered, and goes to the dead
 * letters.
 *
 * @returns undefined where there is none
 */
export function withdrawUnfit(
  documents: LookAhead<IncomingDocument>,
  sources: readonly SourceQueue[],
  { streams, intake, signal, log }: Withdrawing,
): Promise<void> | undefined {
  const document = documents.peek(documents.nextNumber);
  if (document === undefined || document.unusable !== undefined) return undefined;
  const letters: DeadLetter[] = [];
  for (const { name, distributions } of sources) {
    const distribution = distributions.peek(distributions.nextNumber);
    const unfit = distribution && unfitFor(distribution, document.text);
    // What a source answered by gRPC has no message, and was compared when it came.
    const message = unfit === undefined ? undefined : distributions.messageOf(distributions.nextNumber);
    if (message === undefined) continue;
    distributions.withdraw();
    const { position } = message;
    const reason = `Distributions of document ${document.number} by ${name} are not of its text: ${unfit}.`;
    log.warn({ teacher: name, position }, reason);
    intake.deadLetter(name);
    letters.push({ stream: 'distributions', source: name, position, bytes: message.bytes, reason });
  }
  if (letters.length === 0) return undefined;
  return Promise.all(letters.map((letter) => putAside(streams, letter, { signal, log }))).then(() => {});
}
