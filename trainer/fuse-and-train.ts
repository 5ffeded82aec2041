import { join } from 'node:path';
import { batchesOf } from '../fusion/batch/batches.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../process/config/schema.ts';
import { TrainerState } from '../wire/generated/fusemesh/v1/trainer_pb.ts';
import { startCheckpointWriter } from './checkpoint/checkpoint-writer.ts';
import type { SavedCheckpoint } from './checkpoint/read-checkpoint.ts';
import { openHeldOut } from './held-out.ts';
import { openIncoming, type RunToTrain } from './incoming.ts';
import { recordedBatches } from './intake/join/recorded-batches.ts';
import { type Evaluation, train } from './loop.ts';
import { RunRecord } from './report/run-record.ts';
import { countPartlyCome, sourceViews } from './report/source-views.ts';
import { scheduleOf } from './schedule.ts';
import type { OpenedTraining } from './training-context.ts';

/**
 * Joins what the sources say, fuses it and trains the target on it.
 *
 * @returns the checkpoint of the last step that was done; undefined when there was none
 */
export async function fuseAndTrain(
  config: RunConfig,
  opened: OpenedTraining,
  run: RunToTrain,
): Promise<SavedCheckpoint | undefined> {
  const { tasks, tokenizer, fusion, status, log } = opened;
  const { trainer } = config;
  const { sources, intake, resume, manifest } = run;
  const { signal } = tasks;
  const names = sources.map(({ name }) => name);
  const incoming = await openIncoming(config, opened, run);
  if (incoming === undefined) return undefined;
  const { joined, journal, traces, isLeftOut } = incoming;

  const record = await RunRecord.open(trainer.output, opened, resume);
  status.documentsWaiting = () => countPartlyCome(joined);
  status.sources = () => {
    const { documentsChosen, documentsWithout } = record;
    const known = { documentsChosen, documentsWithout, isLeftOut, intake, streams: status.streams };
    return sourceViews(sources, joined, known);
  };

  const rules = {
    batchDocuments: trainer.batchDocuments,
    contextLength: config.contextLength,
    candidates: fusion.candidates,
    tooLong: incoming.tooLong,
  };
  const place = {
    directory: join(trainer.output, 'checkpoints'),
    model: config.target.model,
    adapter: opened.adapter,
    keep: trainer.keepCheckpoints,
  };
  const { documents, relations } = incoming;
  const batches = batchesOf(documents, tokenizer, relations, fusion.settings, rules, signal);
  const writer = startCheckpointWriter();
  try {
    const evaluation = await evaluationOf(config, incoming.tokenizers, opened, record);
    status.phase = TrainerState.TRAINING;
    log.info(
      { step: resume.state.step, plannedSteps: status.totalSteps, documents: Number(manifest.documents) },
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
        await incoming.cover(state.documents);
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
