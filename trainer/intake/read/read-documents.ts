import {
  feederSource,
  type IncomingDocument,
  type RunStreams,
  type StreamPosition,
} from '../../../wire/nats/run-streams.ts';
import { keepReading } from './keep-reading.ts';
import type { LookAhead, Message } from './look-ahead.ts';
import { type DeadLetters, putAside } from './put-aside.ts';

/** Hears of every part of a document when it comes. */
export interface Arrivals {
  /**
   * @param source the teacher that sent it; "the feeder" for the text itself
   * @param traceparent where it belongs in a trace; undefined where it belongs to none or that is not known
   */
  arrived(document: number, source: string, traceparent?: string): void;
}

/** How documents are read, and who hears of them. */
interface ReadingDocuments extends DeadLetters {
  readonly streams: Pick<RunStreams, 'readDocuments' | 'storeDeadLetter'>;
  readonly arrivals?: Arrivals | undefined;
  /** Called before the first document of every life of the stream: throws where it is not the run's corpus. */
  readonly refuseOther?: () => Promise<void>;
}

/**
 * Reads a run's documents, from a number on, as far ahead as there is room. One that cannot be used keeps its number,
 * comes with the reason, and goes to the run's dead letters.
 */
export async function readDocumentsInto(
  documents: LookAhead<IncomingDocument>,
  from: number,
  reading: ReadingDocuments,
): Promise<void> {
  const { streams, signal, log, arrivals, refuseOther } = reading;
  let known: string | undefined;
  async function* open(after: StreamPosition | undefined) {
    for await (const message of streams.readDocuments({ from, after, signal })) {
      if (message.life !== known) await refuseOther?.();
      known = message.life;
      yield message;
    }
  }
  const messages = keepReading('the documents', open, { signal, log });
  for await (const { document, position, life, bytes, traceparent } of messages) {
    const { number, unusable } = document;
    if (unusable !== undefined) {
      log.warn({ position }, `A document is passed over: ${unusable}`);
      await putDocumentAside({ bytes, position }, unusable, reading);
    }
    documents.offer(number, position, document, { life, bytes });
    arrivals?.arrived(number, 'the feeder', traceparent());
    await documents.room(signal);
  }
}

/** Puts the message that a document came in into the run's dead letters. */
export const putDocumentAside = (
  { bytes, position }: Message,
  reason: string,
  deadLetters: DeadLetters,
): Promise<void> =>
  putAside({ stream: 'documents', source: feederSource, position, bytes, reason }, deadLetters);
