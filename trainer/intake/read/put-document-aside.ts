import type { Log } from '../../../process/log/log.ts';
import { feederSource, type RunStreams } from '../../../wire/nats/run-streams.ts';
import type { IntakeObserver } from './intake.ts';
import { putAside } from './put-aside.ts';

const readWithin = 10_000;

/** Puts a document into the dead letters, as it came: no checkpoint covers it, so the stream still has it. */
export async function putDocumentAside(
  number: number,
  reason: string,
  streams: Pick<RunStreams, 'readDocuments' | 'storeDeadLetter'>,
  { intake, signal, log }: { intake: Pick<IntakeObserver, 'deadLetter'>; signal: AbortSignal; log: Log },
): Promise<void> {
  log.warn({ document: number }, `Document ${number} is passed over: ${reason}`);
  intake.deadLetter(feederSource);
  // What is lost from the stream meanwhile is put aside no more; what comes behind it does not come forever.
  const within = AbortSignal.any([signal, AbortSignal.timeout(readWithin)]);
  for await (const { document, bytes, position } of streams.readDocuments({ from: number, signal: within })) {
    if (Number(document.number) !== number) return;
    const letter = { stream: 'documents', source: feederSource, position, bytes, reason } as const;
    await putAside(streams, letter, { signal, log });
    return;
  }
}
