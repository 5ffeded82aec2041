import { distributionToBytes } from '../../mesh/codec/distribution-bytes.ts';
import { unfitFor } from '../../mesh/codec/fits-text.ts';
import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import type { Document } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import type { Log } from '../../mesh/log/log.ts';
import type { RunStreams } from '../../mesh/nats/run-streams.ts';
import type { IntakeObserver } from './intake.ts';
import type { LookAhead } from './look-ahead.ts';
import { whyPassedOver } from './passed-over.ts';
import { putAside } from './put-aside.ts';

/** A source whose distributions are compared with the texts. */
export interface ComparedSource {
  readonly name: string;
  readonly distributions: LookAhead<TextDistribution>;
  /** Of its model, for the bytes of a dead letter. */
  readonly candidates: number;
  /** Numbers of documents whose distribution came and cannot be used: added to. */
  readonly unusable: Set<number>;
}

/**
 * Compares what has come for the next document with its text. Distributions and texts come on their own ways, so
 * this can be done no earlier. A distribution that is of another text goes to the dead letters and counts as not
 * delivered.
 *
 * @returns whether there was any
 */
export async function withdrawUnfit(
  documents: LookAhead<Document>,
  sources: readonly ComparedSource[],
  streams: Pick<RunStreams, 'storeDeadLetter'>,
  { intake, signal, log }: { intake: Pick<IntakeObserver, 'deadLetter'>; signal: AbortSignal; log: Log },
): Promise<boolean> {
  const document = documents.next;
  if (document === undefined || whyPassedOver(document) !== undefined) return false;
  let any = false;
  for (const { name, distributions, candidates, unusable } of sources) {
    const distribution = distributions.next;
    const unfit = distribution && unfitFor(distribution, document.text);
    if (distribution === undefined || unfit === undefined) continue;
    any = true;
    const position = distributions.withdraw();
    const reason = `Distributions of document ${document.number} by ${name} are not of its text: ${unfit}.`;
    log.warn({ teacher: name, position }, reason);
    intake.deadLetter(name);
    unusable.add(distribution.document);
    const bytes = distributionToBytes(distribution, candidates);
    await putAside(
      streams,
      { stream: 'distributions', source: name, position, bytes, reason },
      { signal, log },
    );
  }
  return any;
}
