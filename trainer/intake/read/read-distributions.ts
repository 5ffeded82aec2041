import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { Log } from '../../../process/log/log.ts';
import { distributionFromBytes } from '../../../wire/codec/distribution-bytes.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import type { RunStreams, StreamPosition } from '../../../wire/nats/run-streams.ts';
import type { IntakeObserver } from './intake-counts.ts';
import { keepReading } from './keep-reading.ts';
import type { LookAhead } from './look-ahead.ts';
import { putAside } from './put-aside.ts';
import type { Arrivals } from './read-documents.ts';

/** Where a teacher's distributions go. */
export interface DistributionReader {
  readonly teacher: string;
  /** @throws FuseMeshError data_loss where a distribution cannot be used */
  readonly check: (distribution: TextDistribution) => void;
  readonly distributions: LookAhead<TextDistribution>;
  /** Hears of what comes. */
  readonly intake: IntakeObserver;
  /** Hears of each that can be used. */
  readonly arrivals?: Arrivals | undefined;
}

/**
 * Reads a teacher's distributions as far ahead as there is room, from the first that the stream still has. What
 * checkpoints cover is gone from the stream, or is dropped here. A distribution that cannot be used goes to the
 * run's dead letters and counts as not delivered.
 */
export async function readDistributionsInto(
  { teacher, check, distributions, intake, arrivals }: DistributionReader,
  streams: Pick<RunStreams, 'readDistributions' | 'storeDeadLetter'>,
  { signal, log }: { signal: AbortSignal; log: Log },
): Promise<void> {
  const open = (after: StreamPosition | undefined) => streams.readDistributions(teacher, { after, signal });
  const what = `the distributions of teacher ${teacher}`;
  const logOfTeacher = log.child({ teacher });
  const messages = keepReading(what, open, { signal, log: logOfTeacher });
  for await (const { bytes, position, life, traceparent } of messages) {
    intake.received(teacher, bytes.length);
    let distribution: TextDistribution | undefined;
    try {
      distribution = distributionFromBytes(bytes);
      check(distribution);
      distributions.offer(distribution.document, position, distribution, { life, bytes });
      arrivals?.arrived(distribution.document, teacher, traceparent());
      logOfTeacher.debug({ document: distribution.document, position }, 'A distribution has come');
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      logOfTeacher.warn({ position }, `Teacher ${teacher} sent what cannot be used: ${error.message}`);
      if (distribution !== undefined) distributions.reject(distribution.document);
      await putAside(
        { stream: 'distributions', source: teacher, position, bytes, reason: error.message },
        { streams, intake, signal, log: logOfTeacher },
      );
    }
    await distributions.room(signal);
  }
}
