import type { SourceRelation } from '../fusion/batch/assemble-batch.ts';
import type { JoinedDocument } from '../fusion/batch/joined-document.ts';
import { relateSource } from '../fusion/relate-source.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { TextDistribution } from '../wire/codec/text-distribution.ts';
import type { CorpusManifest, Document } from '../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { ResumePoint } from './checkpoint/resume-point.ts';
import { fetchMissing } from './intake/heal/fetch-missing.ts';
import { keepManifest } from './intake/heal/keep-manifest.ts';
import { Attendance } from './intake/join/attendance.ts';
import { joinDocuments } from './intake/join/join-documents.ts';
import { JoinJournal } from './intake/join/join-journal.ts';
import { joinRuleOf } from './intake/join/join-rule.ts';
import type { Intake } from './intake/read/intake.ts';
import { LookAhead } from './intake/read/look-ahead.ts';
import { putDocumentAside } from './intake/read/put-document-aside.ts';
import { readDocumentsInto } from './intake/read/read-documents.ts';
import { StreamRelease } from './intake/read/stream-release.ts';
import { type ComparedSource, withdrawUnfit } from './intake/read/withdraw-unfit.ts';
import { readSource } from './intake/read-source.ts';
import { awaitTokenizer, awaitTokenizers } from './intake/sources/await-tokenizers.ts';
import { keepTokenizer } from './intake/sources/kept-tokenizers.ts';
import type { Source } from './intake/sources/source.ts';
import { DocumentTraces } from './report/document-traces.ts';
import type { OpenedTraining } from './training-context.ts';

/** Batches whose parts are read ahead of the one in hand. */
const batchesAhead = 4;

/** A run, and where in it the training goes on. */
export interface RunToTrain {
  readonly sources: readonly Source[];
  readonly intake: Intake;
  readonly resume: ResumePoint;
  /** Of the corpus. */
  readonly manifest: CorpusManifest;
}

/** What comes in from the streams of a run. */
export interface Incoming {
  /** Texts with what the sources say about them, in order. */
  readonly documents: AsyncIterable<JoinedDocument>;
  /** The sources' parts of the join. */
  readonly joined: readonly ComparedSource[];
  /** How each source's tokens become the target's; undefined of one that has never been there yet. */
  readonly relations: readonly (SourceRelation | undefined)[];
  /** Of the sources that were there when it began. */
  readonly tokenizers: readonly Tokenizer[];
  /** Where documents may go on without a source: which did. */
  readonly journal: JoinJournal | undefined;
  readonly traces: DocumentTraces | undefined;
  /** Whether the training goes on without a source. */
  isLeftOut(name: string): boolean;
  /** Puts a document aside that is longer than the context allows. */
  tooLong(number: number, reason: string): Promise<void>;
  /** Documents before this one are covered by a checkpoint: their place in the streams goes to others. */
  cover(documents: number): Promise<void>;
}

/**
 * Begins to read what the feeder and the sources publish, heals what the streams lose, and joins it.
 *
 * @returns undefined when it is stopped before enough sources are there
 */
export async function openIncoming(
  config: RunConfig,
  opened: OpenedTraining,
  { sources, intake, resume, manifest }: RunToTrain,
): Promise<Incoming | undefined> {
  const { tasks, streams, tokenizer, fusion, status, metrics, notifier, log, tracer } = opened;
  const { trainer, topK } = config;
  const { signal } = tasks;
  const names = sources.map(({ name }) => name);
  const rule = joinRuleOf(trainer, sources.length);
  if (!(await awaitTokenizers(sources, rule, { notifier, signal, log }))) return undefined;

  const from = resume.state.documents;
  const documentsOfRun = Number(manifest.documents);
  const left = (status.totalSteps - resume.state.step) * trainer.batchDocuments;
  const until = Math.min(documentsOfRun, from + left);
  const lookAhead = batchesAhead * trainer.batchDocuments;
  const documents = new LookAhead<Document>(from, lookAhead, notifier);
  const joined = sources.map(
    (source): ComparedSource => ({
      name: source.name,
      distributions: new LookAhead<TextDistribution>(from, lookAhead, notifier),
      unusable: new Set(),
      vocabularySize: () => source.vocabularySize,
    }),
  );
  const traces = tracer && new DocumentTraces(tracer, { run: config.run, sources: names }, from);

  const release = new StreamRelease(streams, { documents, sources: joined }, from, log);
  tasks.run((signal) => release.keepOn(signal));
  tasks.run((signal) => keepManifest(streams, manifest, { covered: () => release.covered, signal }));
  const refuseOther = () => streams.publishManifest(manifest, { first: release.covered, signal });
  const reading = { signal, log, intake, arrivals: traces, refuseOther };
  tasks.run(() => readDocumentsInto(documents, from, streams, reading));
  const corpus = Buffer.from(manifest.sha256).toString('hex');
  tasks.run((signal) => fetchMissing(documents, { streams, corpus, until, signal, log }));

  const journal = await journalOf(config, resume, names, log);
  const attendance = new Attendance(rule, joined, {
    log,
    leftOut: sources.filter((source) => source.tokenizer === undefined).map(({ name }) => name),
    recorded: journal?.sourcesOf,
  });
  const relations: (SourceRelation | undefined)[] = sources.map(() => undefined);
  const takeIn = async (i: number, own: Tokenizer) => {
    const { name } = sources[i];
    if (journal) await keepTokenizer(trainer.output, sources[i], own);
    relations[i] = await relateSource(name, own, tokenizer, fusion, log);
    const place = {
      ...{ joined: joined[i], documents, documentsOfRun, intake, arrivals: traces, topK },
      mayOwe: () => attendance.counts(name),
    };
    readSource(sources[i], own, place, opened);
  };
  const known = sources.map((source) => source.tokenizer);
  await Promise.all(known.map(async (own, i) => own && takeIn(i, own)));
  for (const [i, source] of sources.entries()) {
    if (known[i]) continue;
    tasks.run(async (signal) => {
      const own = await awaitTokenizer(source, { notifier, signal });
      if (own && !signal.aborted) await takeIn(i, own);
    });
  }

  return {
    documents: joinDocuments({
      ...{ from, until, documents, sources: joined, attendance, notifier, signal, log, metrics },
      withdrawUnfit: () => withdrawUnfit(documents, joined, { streams, intake, signal, log }),
    }),
    ...{ joined, relations, journal, traces },
    tokenizers: known.filter((own) => own !== undefined),
    isLeftOut: attendance.isLeftOut,
    tooLong: (number, reason) => putDocumentAside(number, reason, streams, { intake, signal, log }),
    cover: (covered) => release.cover(covered),
  };
}

/** Where the run file lets documents go on without a source, it is written down which did. */
async function journalOf(
  { run, trainer }: RunConfig,
  { state }: ResumePoint,
  sources: readonly string[],
  log: OpenedTraining['log'],
): Promise<JoinJournal | undefined> {
  if (trainer.join === 'all') return undefined;
  const { corpusSha256, documents: from } = state;
  return JoinJournal.open(trainer.output, { run, corpusSha256, from, sources }, log);
}
