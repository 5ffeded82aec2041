import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { CorpusManifest } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { RunStreams } from '../../../wire/nats/run-streams.ts';

const lookEvery = 1_000;

/**
 * Publishes the run's manifest again where it is lost, as beginning with the first document that no checkpoint
 * covers, so that the feeder publishes no more again than is needed. Goes on until aborted.
 *
 * @param covered how many documents the newest checkpoint covers
 * @throws FuseMeshError already_exists when the run has another corpus now
 */
export async function keepManifest(
  streams: Pick<RunStreams, 'publishManifest'>,
  manifest: CorpusManifest,
  { covered, signal }: { covered: () => number; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await streams.publishManifest(manifest, { first: covered(), signal });
    } catch (error) {
      if (signal.aborted) return;
      // The look at the streams tells of a NATS that is away.
      if (!(error instanceof FuseMeshError) || error.code !== 'unavailable') throw error;
    }
    await sleep(lookEvery, undefined, { signal }).catch(() => {});
  }
}
