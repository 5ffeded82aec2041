import type { Log } from '../../../process/log/log.ts';
import { unfitFor } from '../../../wire/codec/check-distribution.ts';
import { distributionToBytes } from '../../../wire/codec/distribution-bytes.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import type { Document } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { DeadLetter, RunStreams } from '../../../wire/nats/run-streams.ts';
import { whyPassedOver } from '../join/passed-over.ts';
import type { IntakeObserver } from './intake.ts';
import type { LookAhead } from './look-ahead.ts';
import { putAside } from './put-aside.ts';

/** A source whose distributions are compared with the texts. */
export interface ComparedSource {
  readonly name: string;
  readonly distributions: LookAhead<TextDistribution>;
  /** Numbers of documents whose distribution came and cannot be used: added to. */
  readonly unusable: Set<number>;
  /** Of its model, for the bytes of a dead letter; known when something has come of it. */
  vocabularySize(): number;
}

/** Who hears of what is taken back. */
interface Withdrawing {
  readonly streams: Pick<RunStreams, 'storeDeadLetter'>;
  readonly intake: Pick<IntakeObserver, 'deadLetter'>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Compares what has come for the next document with its text. Distributions and texts come on their own ways, so
 * this can be done no earlier. A distribution that is of another text counts at once as not delivered, and goes to
 * the dead letters.
 *
 * @returns undefined where there is none
 */
export function withdrawUnfit(
  documents: LookAhead<Document>,
  sources: readonly ComparedSource[],
  { streams, intake, signal, log }: Withdrawing,
): Promise<void> | undefined {
  const document = documents.peek(documents.nextNumber);
  if (document === undefined || whyPassedOver(document) !== undefined) return undefined;
  const letters: DeadLetter[] = [];
  for (const { name, distributions, unusable, vocabularySize } of sources) {
    const distribution = distributions.peek(distributions.nextNumber);
    const unfit = distribution && unfitFor(distribution, document.text);
    if (distribution === undefined || unfit === undefined) continue;
    const position = distributions.withdraw();
    const reason = `Distributions of document ${document.number} by ${name} are not of its text: ${unfit}.`;
    log.warn({ teacher: name, position }, reason);
    intake.deadLetter(name);
    unusable.add(distribution.document);
    const bytes = distributionToBytes(distribution, vocabularySize());
    letters.push({ stream: 'distributions', source: name, position, bytes, reason });
  }
  if (letters.length === 0) return undefined;
  return Promise.all(letters.map((letter) => putAside(streams, letter, { signal, log }))).then(() => {});
}
