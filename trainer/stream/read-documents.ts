import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Document } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import type { Log } from '../../mesh/log/log.ts';
import type { RunStreams } from '../../mesh/nats/run-streams.ts';
import type { Arrivals } from './arrivals.ts';
import type { LookAhead } from './look-ahead.ts';
import { readOn } from './read-on.ts';

/**
 * Reads a run's documents, from a number on, as far ahead as there is room.
 *
 * @throws FuseMeshError data_loss when the stream no longer has the first of them
 */
export async function readDocumentsInto(
  documents: LookAhead<Document>,
  from: number,
  streams: Pick<RunStreams, 'readDocuments'>,
  { signal, log, arrivals }: { signal: AbortSignal; log: Log; arrivals?: Arrivals | undefined },
): Promise<void> {
  let next = from;
  const open = () => streams.readDocuments({ from: next, signal });
  for await (const { document, position, traceparent } of readOn('the documents', open, { signal, log })) {
    const number = Number(document.number);
    // From a stream that is filled anew and has not come so far yet, NATS reads what comes next.
    if (number < next) continue;
    if (number > next) {
      throw new FuseMeshError(
        'data_loss',
        `Documents ${next} to ${number - 1} are no longer in the run's stream: begin the run again with --fresh.`,
      );
    }
    documents.offer(number, position, document);
    arrivals?.arrived(number, 'the feeder', traceparent());
    next = number + 1;
    await documents.room(signal);
  }
}
