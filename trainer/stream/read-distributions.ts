import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { distributionFromBytes } from '../../mesh/codec/distribution-bytes.ts';
import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import type { Log } from '../../mesh/log/log.ts';
import type { RunStreams } from '../../mesh/nats/run-streams.ts';
import type { Arrivals } from './arrivals.ts';
import type { LookAhead } from './look-ahead.ts';
import { readOn } from './read-on.ts';

/**
 * Reads a teacher's distributions as far ahead as there is room, from the first that the stream still has:
 * what checkpoints cover is gone from it, and what they cover and is not gone is let go. A distribution that
 * cannot be used is named in the log and counts as not delivered.
 *
 * @param fingerprint SHA-256 of the teacher's tokenizer
 */
export async function readDistributionsInto(
  distributions: LookAhead<TextDistribution>,
  teacher: string,
  fingerprint: Uint8Array,
  streams: Pick<RunStreams, 'readDistributions'>,
  { signal, log, arrivals }: { signal: AbortSignal; log: Log; arrivals?: Arrivals | undefined },
): Promise<void> {
  const open = (after: { position: number } | undefined) =>
    streams.readDistributions(teacher, { afterPosition: after?.position ?? 0, signal });
  const what = `the distributions of teacher ${teacher}`;
  for await (const { bytes, position, traceparent } of readOn(what, open, { signal, log })) {
    try {
      const distribution = distributionFromBytes(bytes);
      refuseUnusable(distribution, fingerprint);
      distributions.offer(distribution.document, position, distribution);
      arrivals?.arrived(distribution.document, teacher, traceparent());
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      log.warn({ teacher, position }, `Teacher ${teacher} sent what cannot be used: ${error.message}`);
    }
    await distributions.room(signal);
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
