import type { Log } from '../../../process/log/log.ts';
import type { Document } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { feederSource, type Place, type RunStreams } from '../../../wire/nats/run-streams.ts';
import type { Arrivals } from './arrivals.ts';
import type { IntakeObserver } from './intake.ts';
import type { LookAhead } from './look-ahead.ts';
import { putAside } from './put-aside.ts';
import { readOn } from './read-on.ts';

/** How documents are read, and who hears of them. */
interface ReadingDocuments {
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly intake: Pick<IntakeObserver, 'deadLetter'>;
  readonly arrivals?: Arrivals | undefined;
  /** Called before the first document of every life of the stream: throws where it is not the run's corpus. */
  readonly refuseOther?: () => Promise<void>;
}

/**
 * Reads a run's documents, from a number on, as far ahead as there is room. In the place of a malformed one,
 * which goes to the run's dead letters, stands one without text.
 */
export async function readDocumentsInto(
  documents: LookAhead<Document>,
  from: number,
  streams: Pick<RunStreams, 'readDocuments' | 'storeDeadLetter'>,
  { signal, log, intake, arrivals, refuseOther }: ReadingDocuments,
): Promise<void> {
  let known: string | undefined;
  async function* open(after: Place | undefined) {
    for await (const message of streams.readDocuments({ from, after, signal })) {
      if (message.life !== known) await refuseOther?.();
      known = message.life;
      yield message;
    }
  }
  const messages = readOn('the documents', open, { signal, log });
  for await (const { document, position, life, bytes, malformed: reason, traceparent } of messages) {
    const number = Number(document.number);
    if (reason !== undefined) {
      log.warn({ position }, `A document is passed over: ${reason}`);
      intake.deadLetter(feederSource);
      const letter = { stream: 'documents', source: feederSource, position, bytes, reason } as const;
      await putAside(streams, letter, { signal, log });
    }
    documents.offer(number, position, document, life);
    arrivals?.arrived(number, 'the feeder', traceparent());
    await documents.room(signal);
  }
}
