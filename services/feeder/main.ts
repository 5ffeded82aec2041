import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Log } from '../../process/log/log.ts';
import type { Tracer } from '../../process/tracing/tracer.ts';
import { findTextFiles } from '../../texts/find-text-files.ts';
import type { CorpusManifest } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { DocumentKeeper } from './document-keeper.ts';
import { encodersOfRun } from './encoders-of-run.ts';
import { prepareCorpus } from './prepare-corpus.ts';
import { tracedPublishing } from './traced-publishing.ts';

/** What is published of a run when its feeder has done its part. */
export interface PublishedCorpus {
  /** Documents that the run has. */
  readonly documents: number;
  /** Documents of them that this feeder published. */
  readonly published: number;
  readonly manifest: CorpusManifest;
}

export interface FeederOptions {
  /** When it aborts, the feeder leaves. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Left out, documents begin no traces. */
  readonly tracer?: Tracer | undefined;
  /** Called while the corpus is cut, with how many bytes of its files are read, and of how many. */
  readonly onRead?: ((read: number, all: number) => void) | undefined;
  /** Called when the number of documents is known, and after each. */
  readonly onProgress?: (progress: { readonly published: number; readonly total: number }) => void;
  /** Called when all documents are published. */
  readonly onPublished?: (corpus: PublishedCorpus) => void;
}

/**
 * Publishes a run's corpus, cut so that every model of the run can take every document, and stays until the
 * trainer says that the run is over: what the streams lose is published again, and who misses a document gets
 * it. What is already published is left as it is, so that a feeder may be stopped and started again, and run
 * twice.
 *
 * @throws FuseMeshError already_exists when the run has another corpus, cancelled when aborted before all was
 *   published
 */
export async function runFeeder(config: RunConfig, options: FeederOptions): Promise<void> {
  const { signal, tracer, onRead, onProgress, onPublished } = options;
  const log = options.log.child({ run: config.run });
  // What can be wrong with the run file shows before anything is waited for.
  for (const { path } of textsOf(config)) {
    const { files, skipped } = await findTextFiles(path);
    if (skipped.length > 0) {
      log.info(
        { path, files: files.length, skipped },
        `${skipped.length} files of ${path} are left out: they hold no texts by their names`,
      );
    }
  }
  const connection = await connectNats(config, `fusemesh feeder of ${config.run}`, { log });
  try {
    const streams = openRunStreams(connection, config.run);
    await streams.ensure(config.nats);
    log.info("The corpus is being cut, with the teachers' tokenizers as soon as they are up");
    const encoders = await encodersOfRun(config, signal);
    const directory = join(config.trainer.output, 'corpus');
    const documents = await prepareCorpus(config, encoders, { directory, signal, log, onRead });
    const { manifest } = documents;
    const textBytes = Number(manifest.textBytes);
    log.info(
      { documents: documents.count, textBytes },
      `The corpus is cut into ${documents.count} documents`,
    );

    const publish = tracedPublishing(streams, config.run, tracer);
    const over = new AbortController();
    const keeper = new DocumentKeeper({ documents, manifest, streams, publish, log });
    const all = await keeper.keepPublished({
      signal: AbortSignal.any([signal, over.signal]),
      onProgress: (done) => onProgress?.({ published: done, total: documents.count }),
      onBegun: () =>
        streams.answerCorpusRequests({
          corpus: Buffer.from(manifest.sha256).toString('hex'),
          published: (number) => keeper.get(number),
          runOver: () => {
            log.info('The trainer needs no more documents: the run is over');
            over.abort();
          },
        }),
      onPublished: (count) => {
        log.info(
          { documents: documents.count, published: count },
          `The corpus is published: ${count} documents of ${documents.count} are new`,
        );
        onPublished?.({ documents: documents.count, published: count, manifest });
      },
    });
    documents.close();
    if (over.signal.aborted) await rm(directory, { recursive: true, force: true });
    if (!all && !over.signal.aborted) {
      throw new FuseMeshError('cancelled', 'Stopped before all documents were published.');
    }
  } finally {
    await connection.close();
  }
}
