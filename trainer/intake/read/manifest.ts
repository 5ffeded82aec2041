import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { Log } from '../../../process/log/log.ts';
import type { CorpusManifest } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { RunStreams } from '../../../wire/nats/run-streams.ts';
import { feeder, WaitReport } from '../join/wait-report.ts';

const lookEvery = 300;

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
    await sleep(lookEvery, undefined, { signal }).catch(() => {});
  }
  return undefined;
}
