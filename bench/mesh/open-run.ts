import type { FusedBatch } from '../../fusion/batch/batches.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { BackgroundTasks } from '../../process/lifecycle/background-tasks.ts';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { createLog } from '../../process/log/log.ts';
import { openSecurity } from '../../process/security/service-security.ts';
import { Intake } from '../../trainer/intake/intake.ts';
import { Source } from '../../trainer/intake/sources/source.ts';
import { streamedBatches } from '../../trainer/pipeline.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { topK as defaultTopK, topP as defaultTopP, type Run } from './request.ts';
import { type BenchSource, fusion } from './sources.ts';

/** The trainer's end of a run. */
export interface OpenRun {
  readonly batches: AsyncGenerator<FusedBatch>;
  /** Bytes of the distributions that came. */
  bytes(): number;
  /** Documents before this one are never needed again: they are released, which makes room in the streams. */
  cover(documents: number): Promise<void>;
  close(): Promise<void>;
}

/** The trainer's own pipeline from the streams of a run to batches, for teachers that nobody calls by gRPC. */
export async function openRun(
  { url, run, documents, topK = defaultTopK, topP = defaultTopP }: Run,
  target: Tokenizer,
  teachers: readonly BenchSource[],
  sizes: { readonly batchDocuments: number; readonly contextLength: number },
): Promise<OpenRun> {
  const log = createLog('bench', { level: 'silent' });
  const connection = await connectNats(url, 'trainer');
  const streams = openRunStreams(connection, run);
  const stopping = new AbortController();
  const notifier = new Notifier();
  const tasks = new BackgroundTasks(stopping.signal, notifier);
  const sources = teachers.map(({ name, tokenizer }) => {
    const source = new Source(name, 'nowhere:0', openSecurity);
    source.tokenizer = tokenizer;
    source.vocabularySize = tokenizer.vocabularySize;
    return source;
  });
  const intake = new Intake(sources, { received: () => {}, deadLetter: () => {} });
  const incoming = await streamedBatches({
    ...sizes,
    run,
    manifest: (await streams.readManifest())!,
    from: 0,
    until: documents,
    topK,
    topP,
    join: 'all',
    output: 'unused',
    encoder: ContentEncoder.ofBaseModel(target),
    fusion: { ...fusion, candidates: topK },
    streams,
    intake,
    tasks,
    notifier,
    metrics: { joined: () => {}, joinedWithout: () => {}, waitedFor: () => {} },
    log,
  });
  const { batches, cover } = incoming!;
  return {
    batches,
    bytes: () => intake.names.reduce((sum, name) => sum + intake.counts.of(name).bytesReceived, 0),
    cover,
    close: async () => {
      await tasks.stop();
      await connection.close();
    },
  };
}
