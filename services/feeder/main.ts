import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { serveHttp } from '../../process/http/serve-http.ts';
import { Readiness } from '../../process/lifecycle/readiness.ts';
import type { Log } from '../../process/log/log.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { type Metrics, makeMetrics } from '../../process/metrics/metric.ts';
import { processMetrics } from '../../process/metrics/process-metrics.ts';
import { hostOfAddress } from '../../process/security/loopback.ts';
import type { Tracer } from '../../process/tracing/tracer.ts';
import { findTextFiles } from '../../texts/find-text-files.ts';
import { portOf } from '../../wire/discovery/advertised-address.ts';
import type { CorpusManifest } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { type ConnectionEvent, connectNats } from '../../wire/nats/connection.ts';
import { readinessByConnection } from '../../wire/nats/readiness-by-connection.ts';
import { openRunStreams, type RunStreams } from '../../wire/nats/run-streams.ts';
import { DocumentKeeper, type RunDocuments } from './document-keeper.ts';
import { encodersOfRun } from './encoders-of-run.ts';
import { holdDirectory } from './hold-directory.ts';
import { feederTable } from './metric-table.ts';
import { prepareCorpus } from './prepare-corpus.ts';
import type { DroppedRollouts } from './rollouts/exchange.ts';
import { OnPolicyDocuments, promptsDirectory, type Surroundings } from './rollouts/on-policy-documents.ts';
import type { OnPolicyRun } from './rollouts/prompt-rules.ts';
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
  /** HOST:PORT of /metrics, /healthz and /readyz; left out, they are not served. */
  readonly listen?: string | undefined;
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
  const log = options.log.child({ run: config.run });
  const register = createRegister({ run: config.run });
  const metrics = makeMetrics(feederTable, register);
  const readiness = new Readiness();
  readiness.lacks('nats', 'it is not connected to NATS yet');
  const { onNats } = processMetrics(register);
  const onEvent = readinessByConnection(readiness, onNats);
  const { listen } = options;
  const { security } = config;
  const http =
    listen === undefined
      ? undefined
      : await serveHttp(register, {
          host: hostOfAddress(listen),
          port: portOf(listen),
          log,
          readiness,
          security,
        });
  try {
    await feed(config, { ...options, log }, { metrics, onEvent });
  } finally {
    await http?.stop();
  }
}

type FeederMetrics = Metrics<typeof feederTable>;

async function feed(
  config: RunConfig,
  options: FeederOptions,
  {
    metrics,
    onEvent,
  }: { readonly metrics: FeederMetrics; readonly onEvent: (event: ConnectionEvent) => void },
): Promise<void> {
  const { signal, log, onRead } = options;
  // What can be wrong with the run file shows before anything is waited for.
  for (const { path } of [...textsOf(config), ...(config.onPolicy?.prompts ?? [])]) {
    const { files, skipped } = await findTextFiles(path);
    if (skipped.length > 0) {
      log.info(
        { path, files: files.length, skipped },
        `${skipped.length} files of ${path} are left out: they hold no texts by their names`,
      );
    }
  }
  const connection = await connectNats(config, `fusemesh feeder of ${config.run}`, { log, onEvent });
  try {
    const streams = openRunStreams(connection, config.run);
    await streams.ensure(config.nats);
    log.info("The corpus is being cut, with the teachers' tokenizers as soon as they are up");
    const encoders = await encodersOfRun(config, signal);
    const directory = join(config.trainer.output, 'corpus');
    const hasCorpus = textsOf(config).length > 0;
    const corpus = hasCorpus
      ? await prepareCorpus(config, encoders, {
          directory,
          signal,
          log,
          onRead,
          onSkipped: (counts) => {
            for (const [reason, count] of Object.entries(counts)) metrics.skipped.set({ reason }, count);
          },
        })
      : undefined;
    const over = new AbortController();
    const onProgress: FeederOptions['onProgress'] = (progress) => {
      metrics.documents.set(progress.total);
      metrics.published.set(progress.published);
      options.onProgress?.(progress);
    };
    const publishing: Publishing = { streams, over, options: { ...options, onProgress } };
    if (config.onPolicy === undefined) {
      // Without onPolicy the run file has texts.
      if (corpus !== undefined) await publish(config.run, corpus, publishing);
    } else {
      const onDropped = (kind: keyof DroppedRollouts) => metrics.dropped.inc({ kind });
      const own = { connection, corpus, encoders, onDropped };
      await feedOnPolicy({ ...config, onPolicy: config.onPolicy }, own, publishing);
    }
    corpus?.close();
    if (over.signal.aborted) {
      for (const unneeded of [directory, promptsDirectory(config)]) {
        await rm(unneeded, { recursive: true, force: true });
      }
    }
  } finally {
    await connection.close();
  }
}

/** How a run's documents are published. */
interface Publishing {
  readonly streams: RunStreams;
  /** Aborts when the trainer needs no more documents. */
  readonly over: AbortController;
  readonly options: FeederOptions;
}

/** Has the target write documents beside those of the corpus, and publishes both; another feeder waits meanwhile. */
async function feedOnPolicy(
  config: OnPolicyRun,
  own: Pick<Surroundings, 'connection' | 'corpus' | 'encoders' | 'onDropped'>,
  publishing: Publishing,
): Promise<void> {
  const { options, over } = publishing;
  const { log, onRead } = options;
  await holdDirectory(promptsDirectory(config), options.signal, async () => {
    const stop = new AbortController();
    const signal = AbortSignal.any([options.signal, stop.signal]);
    const exchanging = AbortSignal.any([signal, over.signal]);
    const documents = await OnPolicyDocuments.open(config, { ...own, signal: exchanging, log, onRead });
    const { plan } = documents;
    log.info(
      { documents: plan.documents, rollouts: plan.rollouts, written: documents.written },
      `The target writes ${plan.rollouts} of ${plan.documents} documents, ${documents.written} are there`,
    );
    const both = [
      documents.exchange.run(),
      publish(config.run, documents, { ...publishing, options: { ...options, signal } }),
    ];
    try {
      await Promise.all(both);
    } finally {
      stop.abort();
      await Promise.allSettled(both);
      await documents.close();
    }
  });
}

/** Publishes documents, and stays until the run is over. */
async function publish(
  run: string,
  documents: RunDocuments & { readonly manifest: CorpusManifest },
  { streams, over, options }: Publishing,
): Promise<void> {
  const { signal, log, tracer, onProgress, onPublished } = options;
  const { manifest, count } = documents;
  log.info({ documents: count, textBytes: Number(manifest.textBytes) }, `The run has ${count} documents`);
  const keeper = new DocumentKeeper({
    documents,
    manifest,
    streams,
    publish: tracedPublishing(streams, run, tracer),
    log,
  });
  const all = await keeper.keepPublished({
    signal: AbortSignal.any([signal, over.signal]),
    onProgress: (done) => onProgress?.({ published: done, total: count }),
    onBegun: () =>
      streams.answerCorpusRequests({
        corpus: Buffer.from(manifest.sha256).toString('hex'),
        published: (number) => keeper.get(number),
        runOver: () => {
          log.info('The trainer needs no more documents: the run is over');
          over.abort();
        },
      }),
    onPublished: (published) => {
      log.info(
        { documents: count, published },
        `The corpus is published: ${published} documents of ${count} are new`,
      );
      onPublished?.({ documents: count, published, manifest });
    },
  });
  if (!all && !over.signal.aborted) {
    throw new FuseMeshError('cancelled', 'Stopped before all documents were published.');
  }
}
