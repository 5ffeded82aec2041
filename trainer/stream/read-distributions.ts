import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { distributionFromBytes } from '../../mesh/codec/distribution-bytes.ts';
import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import type { Log } from '../../mesh/log/log.ts';
import type { DeadLetter, Place, RunStreams } from '../../mesh/nats/run-streams.ts';
import type { Arrivals } from './arrivals.ts';
import type { IntakeObserver } from './intake.ts';
import type { LookAhead } from './look-ahead.ts';
import { readOn } from './read-on.ts';

/** Longest that a message which cannot be used holds up those behind it, in milliseconds. */
const storeWithin = 30_000;

/** Where a teacher's distributions go. */
export interface DistributionReader {
  readonly teacher: string;
  /** SHA-256 of its tokenizer. */
  readonly fingerprint: Uint8Array;
  readonly distributions: LookAhead<TextDistribution>;
  /** Hears of what comes. */
  readonly intake: IntakeObserver;
  /** Hears of each that can be used. */
  readonly arrivals?: Arrivals | undefined;
}

/**
 * Reads a teacher's distributions as far ahead as there is room, from the first that the stream still has:
 * what checkpoints cover is gone from it, and what they cover and is not gone is let go. A distribution that
 * cannot be used goes to the run's dead letters and counts as not delivered.
 */
export async function readDistributionsInto(
  { teacher, fingerprint, distributions, intake, arrivals }: DistributionReader,
  streams: Pick<RunStreams, 'readDistributions' | 'storeDeadLetter'>,
  { signal, log }: { signal: AbortSignal; log: Log },
): Promise<void> {
  const open = (after: Place | undefined) => streams.readDistributions(teacher, { after, signal });
  const what = `the distributions of teacher ${teacher}`;
  const logOfTeacher = log.child({ teacher });
  const messages = readOn(what, open, { signal, log: logOfTeacher });
  for await (const { bytes, position, life, traceparent } of messages) {
    intake.received(teacher, bytes.length);
    try {
      const distribution = distributionFromBytes(bytes);
      refuseUnusable(distribution, fingerprint);
      distributions.offer(distribution.document, position, distribution, life);
      arrivals?.arrived(distribution.document, teacher, traceparent());
      logOfTeacher.debug({ document: distribution.document, position }, 'A distribution has come');
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      logOfTeacher.warn({ position }, `Teacher ${teacher} sent what cannot be used: ${error.message}`);
      intake.deadLetter(teacher);
      await putAside({ source: teacher, position, bytes, reason: error.message });
    }
    await distributions.room(signal);
  }

  async function putAside(letter: DeadLetter): Promise<void> {
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(storeWithin)]);
      await streams.storeDeadLetter(letter, { signal: within });
    } catch (error) {
      if (signal.aborted) return;
      logOfTeacher.warn(
        { position: letter.position },
        `A message of teacher ${teacher} is not among the dead letters: ${(error as Error).message}`,
      );
    }
  }
}

/** @throws FuseMeshError data_loss where a distribution is of another tokenizer or no number */
export function refuseUnusable(distribution: TextDistribution, fingerprint: Uint8Array): void {
  const { document, tokenizerFingerprint, crossEntropy } = distribution;
  if (Buffer.compare(tokenizerFingerprint, fingerprint) !== 0) {
    throw new FuseMeshError('data_loss', `document ${document} was scored with another tokenizer`);
  }
  if (!Number.isFinite(crossEntropy)) {
    throw new FuseMeshError('data_loss', `document ${document} has a cross-entropy of ${crossEntropy}`);
  }
}
