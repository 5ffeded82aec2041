import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Document } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import type { Log } from '../../mesh/log/log.ts';
import { feederSource, type RunStreams } from '../../mesh/nats/run-streams.ts';
import type { Arrivals } from './arrivals.ts';
import type { IntakeObserver } from './intake.ts';
import type { LookAhead } from './look-ahead.ts';
import { putAside } from './put-aside.ts';
import { readOn } from './read-on.ts';

/** Who hears of the documents. */
export interface DocumentReader {
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly intake: Pick<IntakeObserver, 'deadLetter'>;
  readonly arrivals?: Arrivals | undefined;
}

/**
 * Reads a run's documents, from a number on, as far ahead as there is room. In the place of a malformed one,
 * which goes to the run's dead letters, stands one without text.
 *
 * @throws FuseMeshError data_loss when the stream no longer has the first of them
 */
export async function readDocumentsInto(
  documents: LookAhead<Document>,
  from: number,
  streams: Pick<RunStreams, 'readDocuments' | 'storeDeadLetter'>,
  { signal, log, intake, arrivals }: DocumentReader,
): Promise<void> {
  let next = from;
  const open = () => streams.readDocuments({ from: next, signal });
  for await (const message of readOn('the documents', open, { signal, log })) {
    const { document, position, malformed, traceparent } = message;
    const number = Number(document.number);
    // From a stream that is filled anew and has not come so far yet, NATS reads what comes next.
    if (number < next) continue;
    if (number > next) {
      throw new FuseMeshError(
        'data_loss',
        `Documents ${next} to ${number - 1} are no longer in the run's stream: begin the run again with --fresh.`,
      );
    }
    if (malformed !== undefined) {
      log.warn({ position }, `A document is passed over: ${malformed}`);
      intake.deadLetter(feederSource);
      const letter = { stream: 'documents', source: feederSource, position, bytes: message.bytes } as const;
      await putAside(streams, { ...letter, reason: malformed }, { signal, log });
    }
    documents.offer(number, position, document);
    arrivals?.arrived(number, 'the feeder', traceparent());
    next = number + 1;
    await documents.room(signal);
  }
}
