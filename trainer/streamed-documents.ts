import type { JoinedDocument } from '../fusion/batch/joined-document.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { BackgroundTasks } from '../process/lifecycle/background-tasks.ts';
import type { Notifier } from '../process/lifecycle/notifier.ts';
import type { Log } from '../process/log/log.ts';
import { distributionCheck } from '../wire/codec/check-distribution.ts';
import type { TextDistribution } from '../wire/codec/text-distribution.ts';
import type { CorpusManifest } from '../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { IncomingDocument, RunStreams } from '../wire/nats/run-streams.ts';
import { askForOverdue } from './intake/heal/ask-for-overdue.ts';
import { fetchMissing } from './intake/heal/fetch-missing.ts';
import type { Intake } from './intake/intake.ts';
import { Attendance, joinRuleOf } from './intake/join/attendance.ts';
import {
  type JoinedParts,
  type JoinObserver,
  joinDocuments,
  type StreamedDocument,
} from './intake/join/join-documents.ts';
import { withdrawUnfit } from './intake/join/withdraw-unfit.ts';
import { LookAhead, type SourceQueue } from './intake/read/look-ahead.ts';
import { keepManifest } from './intake/read/manifest.ts';
import type { DeadLetters } from './intake/read/put-aside.ts';
import { readDistributionsInto } from './intake/read/read-distributions.ts';
import { type Arrivals, readDocumentsInto } from './intake/read/read-documents.ts';
import { StreamRelease } from './intake/read/stream-release.ts';
import { askSource } from './intake/sources/ask-source.ts';
import { awaitTokenizer, awaitTokenizers } from './intake/sources/await-tokenizers.ts';
import type { Source } from './intake/sources/source.ts';

/** The look-ahead: documents and distributions of so many batches are read before their step. */
const batchesAhead = 4;

/** Where the documents and distributions of a run come from, and what is needed to read them. */
export interface StreamedRun {
  readonly run: string;
  readonly manifest: CorpusManifest;
  readonly batchDocuments: number;
  /** The documents that are wanted: from … until − 1. */
  readonly from: number;
  readonly until: number;
  readonly topK: number;
  readonly topP: number;
  readonly join: RunConfig['trainer']['join'];
  readonly streams: RunStreams;
  readonly intake: Intake;
  readonly tasks: BackgroundTasks;
  readonly notifier: Notifier;
  readonly metrics: JoinObserver;
  /** Hears of every part of a document when it comes. */
  readonly arrivals?: Arrivals | undefined;
  /** The sources that a document was joined with before a restart. */
  readonly joinedBefore?: ((document: number) => readonly string[] | undefined) | undefined;
  /** Takes in each document before it is given. */
  readonly keep?: ((parts: JoinedParts) => Promise<void>) | undefined;
  readonly log: Log;
}

/** The documents of a run, joined with what its sources say about them. */
export interface StreamedDocuments {
  /** In order; fewer when it is aborted. */
  readonly documents: AsyncGenerator<JoinedDocument<StreamedDocument>>;
  /** Of the sources, undefined of one whose tokenizer was unknown when it began. */
  readonly tokenizers: readonly (Tokenizer | undefined)[];
  readonly deadLetters: DeadLetters;
  /** Documents before this one are never needed again: they are released, which makes room in the streams. */
  cover(documents: number): Promise<void>;
}

/**
 * From the streams of a run to joined documents: read ahead → heal what is lost → join.
 *
 * @param takeIn called once for each source, when its tokenizer is known and before anything of it is read
 * @returns undefined when it is stopped before enough sources are there
 */
export async function streamedDocuments(
  run: StreamedRun,
  takeIn: (source: Source, tokenizer: Tokenizer) => Promise<void>,
): Promise<StreamedDocuments | undefined> {
  const { streams, intake, tasks, notifier, metrics, manifest, from, until, arrivals, log } = run;
  const { sources, counts } = intake;
  const { signal } = tasks;
  const rule = joinRuleOf(run, sources.length);
  if (!(await awaitTokenizers(sources, rule, { notifier, signal, log }))) return undefined;

  // Read ahead, and release what is covered.
  const capacity = batchesAhead * run.batchDocuments;
  const documents = new LookAhead<IncomingDocument>(from, capacity, notifier);
  const queues = sources.map(
    ({ name }): SourceQueue => ({
      name,
      distributions: new LookAhead<TextDistribution>(from, capacity, notifier),
    }),
  );
  const release = new StreamRelease(streams, { documents, sources: queues }, from, log);
  tasks.run((signal) => release.keepReleasing(signal));
  tasks.run((signal) => keepManifest(streams, manifest, { covered: () => release.covered, signal }));
  const refuseOther = () => streams.publishManifest(manifest, { first: release.covered, signal });
  const deadLetters = { streams, intake: counts, signal, log };
  tasks.run(() => readDocumentsInto(documents, from, { ...deadLetters, arrivals, refuseOther }));

  // Heal what the document stream loses; readSource below heals what a source's stream loses.
  const corpus = Buffer.from(manifest.sha256).toString('hex');
  tasks.run((signal) => fetchMissing(documents, { streams, corpus, until, signal, log }));

  // Join: documents wait for the sources that attend.
  const known = sources.map(({ tokenizer }) => tokenizer);
  const attendance = new Attendance(rule, queues, {
    log,
    leftOut: sources.filter((_source, s) => known[s] === undefined).map(({ name }) => name),
    recorded: run.joinedBefore,
  });
  intake.joins({ queues, attendance });
  const joined = joinDocuments({
    from,
    until,
    documents,
    sources: queues,
    attendance,
    notifier,
    signal,
    log,
    metrics,
    withdrawUnfit: () => withdrawUnfit(documents, queues, deadLetters),
    keep: run.keep,
  });

  // A source is taken in once its tokenizer is known: now, or when it attaches later.
  const take = async (s: number, tokenizer: Tokenizer) => {
    const source = sources[s];
    await takeIn(source, tokenizer);
    readSource(run, { source, tokenizer, queue: queues[s], documents, attendance });
  };
  await Promise.all(known.map(async (tokenizer, s) => tokenizer && take(s, tokenizer)));
  for (const [s, source] of sources.entries()) {
    if (known[s]) continue;
    tasks.run(async (signal) => {
      const tokenizer = await awaitTokenizer(source, { notifier, signal });
      if (tokenizer && !signal.aborted) await take(s, tokenizer);
    });
  }
  return {
    documents: joined,
    tokenizers: known,
    deadLetters,
    cover: (covered) => release.cover(covered),
  };
}

/** Starts to read a source's distributions, and to ask it directly for those that it owes. */
function readSource(
  { manifest, topK, topP, streams, intake, tasks, arrivals, log }: StreamedRun,
  {
    source,
    tokenizer: { fingerprint, vocabularySize },
    queue: { name, distributions },
    documents,
    attendance,
  }: {
    readonly source: Source;
    /** The source's own. */
    readonly tokenizer: Tokenizer;
    readonly queue: SourceQueue;
    readonly documents: LookAhead<IncomingDocument>;
    readonly attendance: Attendance;
  },
): void {
  const check = distributionCheck({
    teacher: name,
    documents: Number(manifest.documents),
    fingerprint,
    tokens: vocabularySize,
    candidates: source.vocabularySize,
  });
  const reader = { teacher: name, check, distributions, intake: intake.counts, arrivals };
  tasks.run((signal) => readDistributionsInto(reader, streams, { signal, log }));
  const mayOwe = () => source.attached && attendance.counts(name);
  tasks.run((signal) =>
    askForOverdue(
      {
        name,
        distributions,
        isIdle: () => mayOwe() && source.said.documentsInHand === 0,
        isDone: (document) => mayOwe() && intake.streams.isDone(name, documents.positionOf(document)),
        ask: async (document) => {
          const answer = await askSource(source, document, { topK, topP, fingerprint, check, signal });
          arrivals?.arrived(answer.document, name);
          return answer;
        },
      },
      documents,
      { signal, log },
    ),
  );
}
