import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../mesh/config/schema.ts';
import type { CorpusManifest, Document } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import type { Log } from '../../mesh/log/log.ts';
import { connectNats } from '../../mesh/nats/connection.ts';
import { openRunStreams } from '../../mesh/nats/run-streams.ts';
import type { Tracer } from '../../mesh/tracing/tracer.ts';
import { findTextFiles, type LabelledText, readTexts } from '../../texts/read-texts.ts';
import { splitText } from '../../texts/split-text.ts';
import { describeCorpus, mixDomains } from './corpus-documents.ts';
import { documentPublisher } from './publish-documents.ts';
import { runTokenizers } from './run-tokenizers.ts';

/** What a feeder has done. */
export interface FedCorpus {
  /** Documents that the run has. */
  readonly documents: number;
  /** Documents of them that this feeder published. */
  readonly published: number;
  readonly manifest: CorpusManifest;
}

export interface FeedOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Left out, documents begin no traces. */
  readonly tracer?: Tracer | undefined;
  /** Called when the number of documents is known, and after each. */
  readonly onProgress?: (progress: { readonly published: number; readonly total: number }) => void;
}

/**
 * Publishes a run's corpus, cut so that every model of the run can take every document. What is already
 * published is left as it is, so that a feeder may be stopped and started again, and run twice.
 *
 * @throws FuseMeshError already_exists when the run has another corpus, cancelled when aborted
 */
export async function feedCorpus(config: RunConfig, options: FeedOptions): Promise<FedCorpus> {
  const { signal, tracer, onProgress } = options;
  const log = options.log.child({ run: config.run });
  // What can be wrong with the run file shows before anything is waited for.
  for (const { path } of config.corpus) await findTextFiles(path);
  const connection = await connectNats(config, `fusemesh feeder of ${config.run}`, { log });
  try {
    const streams = openRunStreams(connection, config.run);
    await streams.ensure(config.nats);
    log.info("The corpus is being cut, with the teachers' tokenizers as soon as they are up");
    const documents = await splitCorpus(config, signal);
    const manifest = describeCorpus(documents, config.contextLength);
    const textBytes = Number(manifest.textBytes);
    log.info(
      { documents: documents.length, textBytes },
      `The corpus is cut into ${documents.length} documents`,
    );

    await streams.publishManifest(manifest);
    const first = (await streams.lastDocumentPublished()) + 1;
    onProgress?.({ published: first, total: documents.length });
    const publish = documentPublisher(streams, config.run, tracer);
    for (const document of documents.slice(first)) {
      await publish(document, { signal });
      onProgress?.({ published: Number(document.number) + 1, total: documents.length });
    }
    const published = documents.length - first;
    log.info(
      { documents: documents.length, published },
      `The corpus is published: ${published} documents of ${documents.length} are new`,
    );
    return { documents: documents.length, published, manifest };
  } finally {
    await connection.close();
  }
}

async function splitCorpus(config: RunConfig, signal: AbortSignal): Promise<Document[]> {
  const tokenizers = await runTokenizers(config, signal);
  const pieces: LabelledText[] = [];
  for await (const { domain, text } of readTexts(config.corpus)) {
    if (signal.aborted) throw new FuseMeshError('cancelled', 'Stopped while cutting the corpus.');
    for (const piece of await splitText(text, tokenizers, config.contextLength)) {
      pieces.push({ domain, text: piece });
    }
  }
  if (pieces.length === 0) {
    throw new FuseMeshError(
      'invalid_argument',
      'The corpus has no text: every file that corpus names is empty.',
    );
  }
  return mixDomains(pieces);
}
