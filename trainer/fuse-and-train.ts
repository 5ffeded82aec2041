import { join } from 'node:path';
import { distributionCheck } from '../mesh/codec/check-distribution.ts';
import type { TextDistribution } from '../mesh/codec/text-distribution.ts';
import type { RunConfig } from '../mesh/config/schema.ts';
import type { Document } from '../mesh/generated/fusemesh/v1/corpus_pb.ts';
import { TrainerState } from '../mesh/generated/fusemesh/v1/trainer_pb.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { batchesOf } from './batch/batches.ts';
import { startCheckpointWriter } from './checkpoint/checkpoint-writer.ts';
import type { SavedCheckpoint } from './checkpoint/read-checkpoint.ts';
import type { ResumePoint } from './checkpoint/resume-point.ts';
import { DocumentTraces } from './document-traces.ts';
import { openHeldOut } from './held-out.ts';
import { RunRecord } from './run-record.ts';
import { scheduleOf } from './schedule.ts';
import { askSource } from './sources/ask-source.ts';
import { awaitTokenizers } from './sources/await-tokenizers.ts';
import { relateSource } from './sources/relate-source.ts';
import type { Source } from './sources/source.ts';
import { countPartlyCome, sourceViews } from './sources/source-views.ts';
import { askForOverdue } from './stream/ask-for-overdue.ts';
import type { Intake } from './stream/intake.ts';
import { type JoinedSource, joinDocuments } from './stream/join-documents.ts';
import { LookAhead } from './stream/look-ahead.ts';
import { putDocumentAside } from './stream/put-document-aside.ts';
import { readDistributionsInto } from './stream/read-distributions.ts';
import { readDocumentsInto } from './stream/read-documents.ts';
import { StreamRelease } from './stream/stream-release.ts';
import { withdrawUnfit } from './stream/withdraw-unfit.ts';
import { type Evaluation, train } from './train.ts';
import type { OpenedTraining } from './training-context.ts';

/** Batches whose parts are read ahead of the one in hand. */
const batchesAhead = 4;

export interface RunToTrain {
  readonly sources: readonly Source[];
  readonly intake: Intake;
  readonly resume: ResumePoint;
  /** Of the corpus. */
  readonly documents: number;
}

/**
 * Joins what the sources say, fuses it and trains the target on it.
 *
 * @returns the checkpoint of the last step that was done; undefined when there was none
 */
export async function fuseAndTrain(
  config: RunConfig,
  opened: OpenedTraining,
  { sources, intake, resume, documents: lastDocument }: RunToTrain,
): Promise<SavedCheckpoint | undefined> {
  const { tasks, streams, tokenizer, fusion, status, metrics, change, log, tracer } = opened;
  const { trainer, topK } = config;
  const { signal } = tasks;
  const tokenizers = await awaitTokenizers(sources, { change, signal, log });
  if (tokenizers === undefined) return undefined;
  const relations = await Promise.all(
    sources.map(({ name }, i) => relateSource(name, tokenizers[i], tokenizer, fusion, log)),
  );

  const from = resume.state.documents;
  const left = (status.totalSteps - resume.state.step) * trainer.batchDocuments;
  const lookAhead = batchesAhead * trainer.batchDocuments;
  const documents = new LookAhead<Document>(from, lookAhead, change);
  const joined = sources.map(
    ({ name }): JoinedSource => ({
      name,
      distributions: new LookAhead<TextDistribution>(from, lookAhead, change),
    }),
  );
  const traces = tracer && new DocumentTraces(tracer, config.run, from);
  tasks.run((signal) =>
    readDocumentsInto(documents, from, streams, { signal, log, intake, arrivals: traces }),
  );
  const compared = joined.map((source, i) => ({
    ...source,
    candidates: sources[i].vocabularySize,
    unusable: new Set<number>(),
  }));
  for (const [i, { name, distributions, candidates, unusable }] of compared.entries()) {
    const { fingerprint, vocabularySize: tokens } = tokenizers[i];
    const expected = { teacher: name, fingerprint, tokens, candidates, documents: lastDocument };
    const check = distributionCheck(expected);
    const reader = { teacher: name, check, distributions, unusable, intake, arrivals: traces };
    tasks.run((signal) => readDistributionsInto(reader, streams, { signal, log }));
    const source = sources[i];
    const debtor = {
      name,
      distributions,
      unusable,
      isIdle: () => source.attached && source.said.documentsInHand === 0,
      ask: async (document: Document) => {
        const answer = await askSource(source, document, { topK, fingerprint, check, signal });
        traces?.arrived(answer.document, name);
        return answer;
      },
    };
    tasks.run((signal) => askForOverdue(debtor, documents, { signal, log }));
  }
  const release = new StreamRelease(streams, { documents, sources: joined }, from, log);
  tasks.run((signal) => release.keepOn(signal));

  const record = await RunRecord.open(trainer.output, opened, resume);
  status.documentsWaiting = () => countPartlyCome(joined);
  status.sources = () =>
    sourceViews(sources, joined, {
      documentsChosen: record.documentsChosen,
      intake,
      streams: status.streams,
    });

  const until = Math.min(lastDocument, from + left);
  const parts = { documents, sources: joined, change };
  const joinedDocuments = joinDocuments({
    ...{ from, until, ...parts, signal, log, metrics },
    withdrawUnfit: () => withdrawUnfit(documents, compared, streams, { intake, signal, log }),
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
  const evaluation = await evaluationOf(config, tokenizers, opened, record);
  const writer = startCheckpointWriter();
  status.phase = TrainerState.TRAINING;
  log.info(
    { step: resume.state.step, plannedSteps: status.totalSteps, documents: lastDocument },
    `The training begins: step ${resume.state.step + 1} of ${status.totalSteps}`,
  );
  try {
    return await train({
      engine: opened.engine,
      batches: batchesOf(joinedDocuments, tokenizer, relations, fusion.settings, sizes, signal),
      ...resume,
      schedule: scheduleOf(trainer, status.totalSteps),
      sources: sources.map(({ name }) => name),
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
  }
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
