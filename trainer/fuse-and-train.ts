import { join } from 'node:path';
import type { TextDistribution } from '../mesh/codec/text-distribution.ts';
import type { RunConfig } from '../mesh/config/schema.ts';
import type { CorpusManifest, Document } from '../mesh/generated/fusemesh/v1/corpus_pb.ts';
import { TrainerState } from '../mesh/generated/fusemesh/v1/trainer_pb.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { SourceRelation } from './batch/assemble-batch.ts';
import { batchesOf } from './batch/batches.ts';
import { recordedBatches } from './batch/recorded-batches.ts';
import { startCheckpointWriter } from './checkpoint/checkpoint-writer.ts';
import type { SavedCheckpoint } from './checkpoint/read-checkpoint.ts';
import type { ResumePoint } from './checkpoint/resume-point.ts';
import { DocumentTraces } from './document-traces.ts';
import { openHeldOut } from './held-out.ts';
import { RunRecord } from './run-record.ts';
import { scheduleOf } from './schedule.ts';
import { awaitTokenizer, awaitTokenizers } from './sources/await-tokenizers.ts';
import { keepTokenizer } from './sources/kept-tokenizers.ts';
import { readSource } from './sources/read-source.ts';
import { relateSource } from './sources/relate-source.ts';
import type { Source } from './sources/source.ts';
import { countPartlyCome, sourceViews } from './sources/source-views.ts';
import { Attendance } from './stream/attendance.ts';
import { fetchMissing } from './stream/fetch-missing.ts';
import type { Intake } from './stream/intake.ts';
import { joinDocuments } from './stream/join-documents.ts';
import { JoinJournal } from './stream/join-journal.ts';
import { joinRuleOf } from './stream/join-rule.ts';
import { keepManifest } from './stream/keep-manifest.ts';
import { LookAhead } from './stream/look-ahead.ts';
import { putDocumentAside } from './stream/put-document-aside.ts';
import { readDocumentsInto } from './stream/read-documents.ts';
import { StreamRelease } from './stream/stream-release.ts';
import { type ComparedSource, withdrawUnfit } from './stream/withdraw-unfit.ts';
import { type Evaluation, train } from './train.ts';
import type { OpenedTraining } from './training-context.ts';

/** Batches whose parts are read ahead of the one in hand. */
const batchesAhead = 4;

export interface RunToTrain {
  readonly sources: readonly Source[];
  readonly intake: Intake;
  readonly resume: ResumePoint;
  /** Of the corpus. */
  readonly manifest: CorpusManifest;
}

/**
 * Joins what the sources say, fuses it and trains the target on it.
 *
 * @returns the checkpoint of the last step that was done; undefined when there was none
 */
export async function fuseAndTrain(
  config: RunConfig,
  opened: OpenedTraining,
  { sources, intake, resume, manifest }: RunToTrain,
): Promise<SavedCheckpoint | undefined> {
  const { tasks, streams, tokenizer, fusion, status, metrics, change, log, tracer } = opened;
  const { trainer, topK } = config;
  const { signal } = tasks;
  const names = sources.map(({ name }) => name);
  const rule = joinRuleOf(trainer, sources.length);
  if (!(await awaitTokenizers(sources, rule, { change, signal, log }))) return undefined;

  const from = resume.state.documents;
  const lastDocument = Number(manifest.documents);
  const left = (status.totalSteps - resume.state.step) * trainer.batchDocuments;
  const lookAhead = batchesAhead * trainer.batchDocuments;
  const documents = new LookAhead<Document>(from, lookAhead, change);
  const joined = sources.map(
    (source): ComparedSource => ({
      name: source.name,
      distributions: new LookAhead<TextDistribution>(from, lookAhead, change),
      unusable: new Set(),
      vocabularySize: () => source.vocabularySize,
    }),
  );
  const traces = tracer && new DocumentTraces(tracer, config.run, from);
  const release = new StreamRelease(streams, { documents, sources: joined }, from, log);
  tasks.run((signal) => release.keepOn(signal));
  tasks.run((signal) => keepManifest(streams, manifest, { covered: () => release.covered, signal }));
  const refuseOther = () => streams.publishManifest(manifest, { first: release.covered, signal });
  const reading = { signal, log, intake, arrivals: traces, refuseOther };
  tasks.run(() => readDocumentsInto(documents, from, streams, reading));
  const until = Math.min(lastDocument, from + left);
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
      ...{ joined: joined[i], documents, documentsOfRun: lastDocument, intake, arrivals: traces, topK },
      mayOwe: () => attendance.counts(name),
    };
    readSource(sources[i], own, place, opened);
  };
  const known = sources.map((source) => source.tokenizer);
  await Promise.all(known.map(async (own, i) => own && takeIn(i, own)));
  for (const [i, source] of sources.entries()) {
    if (known[i]) continue;
    tasks.run(async (signal) => {
      const own = await awaitTokenizer(source, { change, signal });
      if (own && !signal.aborted) await takeIn(i, own);
    });
  }

  const record = await RunRecord.open(trainer.output, opened, resume);
  status.documentsWaiting = () => countPartlyCome(joined);
  status.sources = () =>
    sourceViews(sources, joined, {
      documentsChosen: record.documentsChosen,
      documentsWithout: record.documentsWithout,
      isLeftOut: attendance.isLeftOut,
      intake,
      streams: status.streams,
    });

  const parts = { documents, sources: joined, attendance, change };
  const joinedDocuments = joinDocuments({
    ...{ from, until, ...parts, signal, log, metrics },
    withdrawUnfit: () => withdrawUnfit(documents, joined, { streams, intake, signal, log }),
  });
  const sizes = {
    batchDocuments: trainer.batchDocuments,
    contextLength: config.contextLength,
    candidates: fusion.candidates,
    tooLong: (number: number, reason: string) =>
      putDocumentAside(number, reason, streams, { intake, signal, log }),
  };
  const place = {
    directory: join(trainer.output, 'checkpoints'),
    model: config.target.model,
    adapter: opened.adapter,
    keep: trainer.keepCheckpoints,
  };
  const tokenizers = known.filter((own) => own !== undefined);
  const batches = batchesOf(joinedDocuments, tokenizer, relations, fusion.settings, sizes, signal);
  const writer = startCheckpointWriter();
  try {
    const evaluation = await evaluationOf(config, tokenizers, opened, record);
    status.phase = TrainerState.TRAINING;
    log.info(
      { step: resume.state.step, plannedSteps: status.totalSteps, documents: lastDocument },
      `The training begins: step ${resume.state.step + 1} of ${status.totalSteps}`,
    );
    return await train({
      engine: opened.engine,
      batches: journal ? recordedBatches(batches, journal, names) : batches,
      ...resume,
      schedule: scheduleOf(trainer, status.totalSteps),
      sources: names,
      checkpointEvery: trainer.checkpointEvery,
      ...(evaluation && { evaluation }),
      control: opened.control,
      signal,
      log,
      save: async (state, snapshot) => {
        const began = performance.now();
        const directory = await writer.write(place, state, snapshot);
        record.checkpoint(state, directory, (performance.now() - began) / 1000);
        log.info(
          { step: state.step, documents: state.documents, directory },
          `The checkpoint of step ${state.step} is in ${directory}`,
        );
        await release.cover(state.documents);
        return directory;
      },
      time: status.time,
      report: (step, batch) => {
        traces?.trained(step, batch);
        record.step(step, batch);
      },
    });
  } finally {
    await writer.stop();
    await record.close();
    await journal?.close();
  }
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

/** Looks at the held-out texts; undefined where the run file does not ask for it. */
async function evaluationOf(
  { trainer, heldOut, contextLength }: RunConfig,
  tokenizers: readonly Tokenizer[],
  { engine, tokenizer: target, log }: OpenedTraining,
  record: RunRecord,
): Promise<Evaluation | undefined> {
  if (trainer.evaluateEvery === undefined) return undefined;
  const losses = await openHeldOut(heldOut, [target, ...tokenizers], { target, contextLength });
  return {
    every: trainer.evaluateEvery,
    evaluate: () => losses(engine),
    report: (step, bitsPerByte) => {
      record.heldOut({ step, bitsPerByte });
      log.info({ step, bitsPerByte }, `Held-out loss after step ${step}: ${perDomain(bitsPerByte)}`);
    },
  };
}

const perDomain = (bitsPerByte: Readonly<Record<string, number>>): string =>
  Object.entries(bitsPerByte)
    .map(([domain, bits]) => `${domain} ${bits.toFixed(3)}`)
    .join(', ')
    .concat(' bits per byte');
