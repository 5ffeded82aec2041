import { batchesOf, type FusedBatch } from '../../fusion/batch/batches.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { createLog } from '../../process/log/log.ts';
import { Attendance } from '../../trainer/intake/join/attendance.ts';
import { joinDocuments } from '../../trainer/intake/join/join-documents.ts';
import { joinRuleOf } from '../../trainer/intake/join/join-rule.ts';
import { Intake } from '../../trainer/intake/read/intake.ts';
import { LookAhead } from '../../trainer/intake/read/look-ahead.ts';
import { readDistributionsInto } from '../../trainer/intake/read/read-distributions.ts';
import { readDocumentsInto } from '../../trainer/intake/read/read-documents.ts';
import { StreamRelease } from '../../trainer/intake/read/stream-release.ts';
import { type ComparedSource, withdrawUnfit } from '../../trainer/intake/read/withdraw-unfit.ts';
import { distributionCheck } from '../../wire/codec/check-distribution.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import type { Document } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { RunStreams } from '../../wire/nats/run-streams.ts';
import { topK } from './request.ts';
import { type BenchSource, fusion } from './sources.ts';

/** As trainer/fuse-and-train.ts. */
const batchesAhead = 4;

/** What is made of a run's streams. */
export interface StreamedBatches {
  readonly batches: AsyncGenerator<FusedBatch>;
  /** Of distributions that came. */
  bytes(): number;
  /** These are never needed again: their place in the streams goes to others. */
  cover(documents: number): Promise<void>;
}

/** The trainer's way from the streams of a run to batches, as trainer/fuse-and-train.ts puts it together. */
export function streamedBatches(
  streams: RunStreams,
  target: Tokenizer,
  sources: readonly BenchSource[],
  sizes: { readonly documents: number; readonly batchDocuments: number; readonly contextLength: number },
  signal: AbortSignal,
): StreamedBatches {
  const log = createLog('bench', { level: 'silent' });
  const notifier = new Notifier();
  const intake = new Intake({ received: () => {}, deadLetter: () => {} });
  const lookAhead = batchesAhead * sizes.batchDocuments;
  const documents = new LookAhead<Document>(0, lookAhead, notifier);
  const joined = sources.map(({ name, tokenizer: { fingerprint, vocabularySize } }): ComparedSource => {
    const distributions = new LookAhead<TextDistribution>(0, lookAhead, notifier);
    const unusable = new Set<number>();
    const check = distributionCheck({
      ...{ teacher: name, fingerprint, documents: sizes.documents },
      ...{ tokens: vocabularySize, candidates: vocabularySize },
    });
    const reader = { teacher: name, check, distributions, unusable, intake };
    void readDistributionsInto(reader, streams, { signal, log });
    return { name, distributions, unusable, vocabularySize: () => vocabularySize };
  });
  void readDocumentsInto(documents, 0, streams, { signal, log, intake });
  const release = new StreamRelease(streams, { documents, sources: joined }, 0, log);
  const metrics = { joined: () => {}, joinedWithout: () => {}, waitedFor: () => {} };
  const attendance = new Attendance(joinRuleOf({ join: 'all' }, joined.length), joined, { log });
  const parts = { documents, sources: joined, attendance, notifier, signal, log, metrics };
  return {
    batches: batchesOf(
      joinDocuments({
        ...{ from: 0, until: sizes.documents, ...parts },
        withdrawUnfit: () => withdrawUnfit(documents, joined, { streams, intake, signal, log }),
      }),
      target,
      sources.map(({ relation }) => relation),
      fusion.settings,
      { ...sizes, candidates: topK, tooLong: async () => {} },
      signal,
    ),
    bytes: () => sources.reduce((sum, { name }) => sum + intake.of(name).bytesReceived, 0),
    cover: (covered) => release.cover(covered),
  };
}
