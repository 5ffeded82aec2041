import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { repeatUntilAborted, sleepUnlessAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import type { CorpusManifest } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { RunStreams } from '../../../wire/nats/run-streams.ts';
import { feeder, WaitReport } from './wait-report.ts';

const lookEvery = 300;
const keepEvery = 1_000;

/** The run's manifest, as soon as the feeder has published it; undefined when aborted before. */
export async function awaitManifest(
  streams: Pick<RunStreams, 'readManifest'>,
  { signal, log }: { signal: AbortSignal; log: Log },
): Promise<CorpusManifest | undefined> {
  const report = new WaitReport(log);
  while (!signal.aborted) {
    const manifest = await streams.readManifest().catch((error: unknown) => {
      // The connection comes back by itself.
      if (!(error instanceof FuseMeshError) || error.code !== 'unavailable') throw error;
      return undefined;
    });
    if (manifest !== undefined) {
      report.over();
      return manifest;
    }
    report.waiting([feeder], "the corpus's manifest");
    await sleepUnlessAborted(lookEvery, signal);
  }
  return undefined;
}

/**
 * Publishes the run's manifest again where it is lost, as beginning with the first document that no checkpoint
 * covers, so that the feeder publishes no more again than is needed. Runs until aborted.
 *
 * @param covered how many documents the newest checkpoint covers
 * @throws FuseMeshError already_exists when the run has another corpus now
 */
export async function keepManifest(
  streams: Pick<RunStreams, 'publishManifest'>,
  manifest: CorpusManifest,
  { covered, signal }: { covered: () => number; signal: AbortSignal },
): Promise<void> {
  const onFailure = (error: FuseMeshError) => {
    // The look at the streams warns of a NATS that is away.
    if (error.code !== 'unavailable') throw error;
  };
  await repeatUntilAborted({ pause: keepEvery, signal, onFailure }, () =>
    streams.publishManifest(manifest, { first: covered(), signal }),
  );
}
