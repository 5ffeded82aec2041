import type { SourceRelation } from '../fusion/batch/assemble-batch.ts';
import { batchesOf, type FusedBatch } from '../fusion/batch/batches.ts';
import type { JoinedDocument, UsableDocument } from '../fusion/batch/joined-document.ts';
import type { Fusion } from '../fusion/fusion-of-run.ts';
import { relateSource } from '../fusion/relate-source.ts';
import { ChatTemplate } from '../model/chat/chat-template.ts';
import { ContentEncoder } from '../model/chat/content-encoder.ts';
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
import { type JoinObserver, joinDocuments, type StreamedDocument } from './intake/join/join-documents.ts';
import { JoinJournal } from './intake/join/join-journal.ts';
import { withdrawUnfit } from './intake/join/withdraw-unfit.ts';
import { LookAhead, type SourceQueue } from './intake/read/look-ahead.ts';
import { keepManifest } from './intake/read/manifest.ts';
import { readDistributionsInto } from './intake/read/read-distributions.ts';
import { type Arrivals, putDocumentAside, readDocumentsInto } from './intake/read/read-documents.ts';
import { StreamRelease } from './intake/read/stream-release.ts';
import { askSource } from './intake/sources/ask-source.ts';
import { awaitTokenizer, awaitTokenizers } from './intake/sources/await-tokenizers.ts';
import { keepTokenizer } from './intake/sources/kept-tokenizers.ts';
import type { Source } from './intake/sources/source.ts';

/** The look-ahead: documents and distributions of so many batches are read before their step. */
const batchesAhead = 4;

/** What decides which batches are made. */
export interface BatchSettings {
  readonly batchDocuments: number;
  readonly contextLength: number;
  /** How the target reads documents. */
  readonly encoder: ContentEncoder;
  readonly fusion: Fusion;
}

/** Where the documents and distributions of a run come from, and what is needed to read them. */
export interface StreamedRun extends BatchSettings {
  readonly run: string;
  readonly manifest: CorpusManifest;
  /** The documents that are wanted: from … until − 1. */
  readonly from: number;
  readonly until: number;
  readonly topK: number;
  readonly join: RunConfig['trainer']['join'];
  /** Directory of the run. */
  readonly output: string;
  readonly streams: RunStreams;
  readonly intake: Intake;
  readonly tasks: BackgroundTasks;
  readonly notifier: Notifier;
  readonly metrics: JoinObserver;
  /** Hears of every part of a document when it comes. */
  readonly arrivals?: Arrivals | undefined;
  readonly log: Log;
}

/** Batches of a run, made while its streams bring in what they are made of. */
export interface StreamedBatches {
  /** In order; fewer when it is aborted. */
  readonly batches: AsyncGenerator<FusedBatch>;
  /** Of the sources whose tokenizers were known when it began. */
  readonly encoders: readonly ContentEncoder[];
  /** A checkpoint covers the documents before this one: they are released, which makes room in the streams. */
  cover(documents: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * From the streams of a run to batches: read ahead → heal what is lost → join → align and fuse → batch.
 *
 * @returns undefined when it is stopped before enough sources are there
 */
export async function streamedBatches(run: StreamedRun): Promise<StreamedBatches | undefined> {
  const { streams, intake, tasks, notifier, metrics, manifest, from, until, arrivals, log } = run;
  const { sources, counts } = intake;
  const { signal } = tasks;
  const rule = joinRuleOf(run, sources.length);
  if (!(await awaitTokenizers(sources, rule, { notifier, signal, log }))) return undefined;

  // Read ahead, and release what a checkpoint covers.
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
  const journal = await openJournal(run, corpus);
  const attendance = new Attendance(rule, queues, {
    log,
    leftOut: sources.filter((_source, s) => known[s] === undefined).map(({ name }) => name),
    recorded: journal?.sourcesOf,
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
  });

  // A source is taken in once its tokenizer is known: now, or when it attaches later.
  const relations = new Map<number, SourceRelation>();
  const takeIn = async (s: number, tokenizer: Tokenizer) => {
    const source = sources[s];
    if (journal) await keepTokenizer(run.output, source, tokenizer);
    const encoder = encoderOf(source, tokenizer);
    relations.set(s, await relateSource(source.name, encoder, run.encoder, run.fusion, log));
    readSource(run, { source, tokenizer, queue: queues[s], documents, attendance });
  };
  await Promise.all(known.map(async (tokenizer, s) => tokenizer && takeIn(s, tokenizer)));
  for (const [s, source] of sources.entries()) {
    if (known[s]) continue;
    tasks.run(async (signal) => {
      const tokenizer = await awaitTokenizer(source, { notifier, signal });
      if (tokenizer && !signal.aborted) await takeIn(s, tokenizer);
    });
  }

  // Align, fuse and batch.
  const batches = fusedBatches<StreamedDocument>(joined, run, {
    relations: () => sources.map((_source, s) => relations.get(s)),
    tooLong: async ({ number, message }, reason) => {
      log.warn({ document: number }, `Document ${number} is passed over: ${reason}`);
      if (message) await putDocumentAside(message, reason, deadLetters);
    },
    signal,
  });
  return {
    batches: journal ? journaled(batches, journal, intake.names) : batches,
    encoders: sources.flatMap((source, s) => {
      const tokenizer = known[s];
      return tokenizer ? [encoderOf(source, tokenizer)] : [];
    }),
    cover: (covered) => release.cover(covered),
    close: async () => journal?.close(),
  };
}

const encoderOf = ({ name, chatFormat }: Source, tokenizer: Tokenizer): ContentEncoder =>
  new ContentEncoder(tokenizer, ChatTemplate.of(chatFormat, name));

/** Starts to read a source's distributions, and to ask it directly for those that it owes. */
function readSource(
  { manifest, topK, streams, intake, tasks, arrivals, log }: StreamedRun,
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
          const answer = await askSource(source, document, { topK, fingerprint, check, signal });
          arrivals?.arrived(answer.document, name);
          return answer;
        },
      },
      documents,
      { signal, log },
    ),
  );
}

/** A run whose documents and distributions are at hand already: nothing is streamed. */
export interface RecordedRun extends BatchSettings {
  /** In order, from 0. */
  readonly documents: AsyncIterable<UsableDocument>;
  /** In the order of the documents' distributions. */
  readonly sources: readonly { readonly name: string; readonly encoder: ContentEncoder }[];
  /** @throws for a document that is longer than the context */
  readonly tooLong: (document: UsableDocument, reason: string) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** From recordings to batches: what {@link streamedBatches} does after the join. */
export async function recordedBatches(run: RecordedRun): Promise<AsyncGenerator<FusedBatch>> {
  const { documents, sources, encoder: target, fusion, tooLong, signal, log } = run;
  const relations = await Promise.all(
    sources.map(({ name, encoder }) => relateSource(name, encoder, target, fusion, log)),
  );
  return fusedBatches(documents, run, { relations: () => relations, tooLong, signal });
}

/** Joined documents, aligned and fused. */
function fusedBatches<Usable extends UsableDocument>(
  documents: AsyncIterable<JoinedDocument<Usable>>,
  { batchDocuments, contextLength, encoder, fusion: { candidates, settings } }: BatchSettings,
  {
    relations,
    tooLong,
    signal,
  }: {
    readonly relations: () => readonly (SourceRelation | undefined)[];
    readonly tooLong: (document: Usable, reason: string) => Promise<void>;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<FusedBatch> {
  return batchesOf(documents, {
    batchDocuments,
    contextLength,
    candidates,
    encoder,
    relations,
    settings,
    tooLong,
    signal,
  });
}

/** Records which sources each document was joined with; undefined where that is always all of them. */
async function openJournal(
  { run, join, output, from, intake, log }: StreamedRun,
  corpusSha256: string,
): Promise<JoinJournal | undefined> {
  if (join === 'all') return undefined;
  return JoinJournal.open(output, { run, corpusSha256, from, sources: intake.names }, log);
}

/**
 * Passes each batch on once the journal on disk says which sources its documents were joined with. Documents that are
 * passed over because a source cannot score them are in it too: with other sources they would be learnt from.
 */
async function* journaled(
  batches: AsyncIterable<FusedBatch>,
  journal: JoinJournal,
  sources: readonly string[],
): AsyncGenerator<FusedBatch> {
  for await (const batch of batches) {
    await journal.write(
      batch.joined.map(({ document, present }) => ({ document, sources: present.map((s) => sources[s]) })),
    );
    yield batch;
  }
}
