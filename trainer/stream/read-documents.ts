import type { Document } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import type { Log } from '../../mesh/log/log.ts';
import type { Place, RunStreams } from '../../mesh/nats/run-streams.ts';
import type { Arrivals } from './arrivals.ts';
import type { LookAhead } from './look-ahead.ts';
import { readOn } from './read-on.ts';

/** How documents are read. */
interface ReadingDocuments {
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly arrivals?: Arrivals | undefined;
  /** Called before the first document of every life of the stream: throws where it is not the run's corpus. */
  readonly refuseOther?: () => Promise<void>;
}

/** Reads a run's documents, from a number on, as far ahead as there is room. */
export async function readDocumentsInto(
  documents: LookAhead<Document>,
  from: number,
  streams: Pick<RunStreams, 'readDocuments'>,
  { signal, log, arrivals, refuseOther }: ReadingDocuments,
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
  for await (const { document, position, life, traceparent } of messages) {
    const number = Number(document.number);
    documents.offer(number, position, document, life);
    arrivals?.arrived(number, 'the feeder', traceparent());
    await documents.room(signal);
  }
}
