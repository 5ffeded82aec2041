import { join } from 'node:path';
import { weightsByName } from '../engine/engine-snapshot.ts';
import { TrainingEngine } from '../engine/training-engine.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { fusionOf } from '../fusion/fusion-of-run.ts';
import { ChatTemplate } from '../model/chat/chat-template.ts';
import { ContentEncoder } from '../model/chat/content-encoder.ts';
import { writeModel } from '../model/export/write-model.ts';
import { readTrainable } from '../model/families/read-architecture.ts';
import { mergedWeights } from '../model/lora/merged-weights.ts';
import type { AdapterConfig } from '../model/lora/read-adapter.ts';
import { strayTargets } from '../model/lora/target-layers.ts';
import { writeAdapter } from '../model/lora/write-adapter.ts';
import { onProcessorInWords } from '../model/runtime/on-processor.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { recordingOf } from '../process/config/corpus-of-run.ts';
import type { RunConfig } from '../process/config/schema.ts';
import { BackgroundTasks } from '../process/lifecycle/background-tasks.ts';
import { SkippedRows } from '../texts/skipped-rows.ts';
import { startCheckpointWriter } from './checkpoint/checkpoint-writer.ts';
import { readSnapshot, type SavedCheckpoint } from './checkpoint/read-checkpoint.ts';
import { type ResumePoint, resumePoint } from './checkpoint/resume-point.ts';
import { adapterOf, engineOptionsOf } from './engine-of-run.ts';
import { fusedModelDirectory } from './fused-model.ts';
import { openHeldOut } from './held-out.ts';
import { LiveCorpus, type LiveParts } from './live-corpus.ts';
import { type Evaluation, train } from './loop.ts';
import { stretchesBehind } from './passes.ts';
import type { BatchSettings } from './pipeline.ts';
import { openRecordedCorpus } from './recorded-corpus.ts';
import { DocumentTraces } from './report/document-traces.ts';
import type { RunBatches, RunCorpus } from './run-corpus.ts';
import { scheduleOf, totalSteps } from './schedule.ts';
import type { TrainerParts } from './trainer-parts.ts';
import { BackgroundWeights } from './weights/background-weights.ts';
import { startWeightsThread, type WeightsThread } from './weights/weights-thread.ts';

/** {@link TrainerParts} and what was opened for the run. */
interface OpenedRun extends TrainerParts {
  readonly tasks: BackgroundTasks;
  readonly corpus: RunCorpus;
  readonly engine: TrainingEngine;
  /** What the engine trains beside the target's weights; undefined where it trains the weights. */
  readonly adapter: AdapterConfig | undefined;
  readonly settings: BatchSettings;
}

/** Trains from the start or from the newest checkpoint to the end, and writes the fused model there. */
export async function trainRun(config: RunConfig, parts: TrainerParts): Promise<void> {
  const { status, readiness, log } = parts;
  const {
    contextLength,
    target,
    trainer: { batchDocuments },
  } = config;
  const tasks = new BackgroundTasks(parts.signal, parts.notifier);
  const architecture = await readTrainable(target.model);
  const tokenizer = await Tokenizer.fromFile(join(target.model, 'tokenizer.json'));
  tokenizer.expectModelOf(architecture.vocabularySize, target.model);
  const fusion = fusionOf(config);
  const adapter = await adapterOf(target);
  const stray = adapter && strayTargets(architecture, adapter.targetModules);
  if (stray) log.warn(stray);
  const template = await ChatTemplate.fromDirectory(target.model, target.chatTemplate);
  const encoder = new ContentEncoder(tokenizer, template);
  const settings = { batchDocuments, contextLength, encoder, fusion };
  const corpus = await openCorpus(config, { ...parts, tasks, settings });
  try {
    const engineOptions = engineOptionsOf(config, fusion);
    const engine = await TrainingEngine.start(target.model, engineOptions);
    const fallen = onProcessorInWords(engineOptions.execution, engine.onProcessor);
    if (fallen) log.info(fallen);
    readiness.has('model');
    try {
      const checkpoint = await trainToTheEnd(config, { ...parts, tasks, corpus, engine, adapter, settings });
      tasks.throwFailure();
      if (checkpoint === undefined) {
        log.info({ step: status.record.lastStep?.step ?? 0 }, 'The training is stopped before its end');
        return;
      }
      const fused = await writeResults(config, adapter, checkpoint);
      log.info(
        { step: checkpoint.state.step, directory: fused },
        `The training is done: the fused model is in ${fused}`,
      );
    } finally {
      await engine.close();
    }
  } finally {
    const stopping = new FuseMeshError('cancelled', `The trainer of run ${config.run} is stopping.`);
    status.control.end(stopping);
    await tasks.stop();
    await corpus.close();
  }
}

async function openCorpus(config: RunConfig, parts: LiveParts): Promise<RunCorpus> {
  const recording = recordingOf(config);
  if (recording === undefined) return LiveCorpus.open(config, parts);
  const { intake, settings, metrics, tasks, readiness, log } = parts;
  // What a source has said is there, and nobody waits for it.
  for (const source of intake.sources) source.named.attached = true;
  readiness.has('nats');
  return openRecordedCorpus(recording, intake.names, config, {
    ...settings,
    seed: config.seed,
    topK: config.topK,
    topP: config.topP,
    epochs: config.trainer.epochs,
    metrics,
    signal: tasks.signal,
    log,
  });
}

/**
 * Waits for the corpus, and trains on what its sources say.
 *
 * @returns the checkpoint of the last step; undefined when it was stopped before
 */
async function trainToTheEnd(config: RunConfig, opened: OpenedRun): Promise<SavedCheckpoint | undefined> {
  const { corpus, engine, record, intake, metrics, tracer, log } = opened;
  const { run, trainer } = config;
  metrics.expect(intake.names);
  const known = await corpus.describe();
  if (known === undefined) return undefined;

  const { documents } = known;
  const resume = await resumePoint(join(trainer.output, 'checkpoints'), run, known.sha256, log);
  const { state } = resume;
  const steps = totalSteps(trainer, documents, state);
  record.plan({ steps, documents: documents * trainer.epochs });
  if (state.step >= steps) return resume.resumedFrom;
  if (resume.resumedFrom !== undefined) await engine.restore(await readSnapshot(resume.resumedFrom));

  const first = Math.min(documents, state.documents);
  const traces = tracer && new DocumentTraces(tracer, { run, sources: intake.names }, first);
  const stretches = stretchesBehind({ ...trainer, documents }, state.documents, steps - state.step);
  const incoming = await corpus.batches(stretches, state.step + 1, traces);
  if (incoming === undefined) return undefined;
  const checkpoint = await trainFrom(config, opened, { resume, incoming, traces });
  if (checkpoint === undefined || checkpoint.state.step < steps) return undefined;
  await corpus.over();
  return checkpoint;
}

/**
 * Runs the training loop from a resume point, with checkpoints in a thread of their own and every step on record.
 *
 * @returns the checkpoint of the last step that was taken; undefined when there was none
 */
async function trainFrom(
  config: RunConfig,
  opened: OpenedRun,
  {
    resume,
    incoming,
    traces,
  }: {
    readonly resume: ResumePoint;
    readonly incoming: RunBatches;
    readonly traces: DocumentTraces | undefined;
  },
): Promise<SavedCheckpoint | undefined> {
  const { engine, settings, status, record, intake, log } = opened;
  const { trainer, target } = config;
  const options = {
    directory: join(trainer.output, 'checkpoints'),
    model: target.model,
    adapter: opened.adapter,
    keep: trainer.keepCheckpoints,
  };
  await record.resume(trainer.output, resume);
  const writer = startCheckpointWriter();
  const thread = await weightsThreadOf(config, opened);
  try {
    const evaluation = await evaluationOf(config, incoming.encoders, opened);
    record.begin();
    const { step } = resume.state;
    const { steps, documents } = record.planned;
    log.info({ step, plannedSteps: steps, documents }, `The training begins: step ${step + 1} of ${steps}`);
    return await train({
      engine,
      batches: incoming.batches,
      ...resume,
      schedule: scheduleOf(trainer, steps),
      sources: intake.names,
      checkpointEvery: trainer.checkpointEvery,
      evaluation,
      control: status.control,
      signal: opened.tasks.signal,
      log,
      weights: thread && publishedWeights(thread, config, opened),
      save: async (state, snapshot) => {
        const began = performance.now();
        await incoming.keep();
        const directory = await writer.write(options, state, snapshot);
        record.checkpointed(state, directory, (performance.now() - began) / 1000);
        log.info(
          { step: state.step, documents: state.documents, directory },
          `The checkpoint of step ${state.step} is in ${directory}`,
        );
        await incoming.cover(state.documents);
        return directory;
      },
      time: record.time,
      report: (report, batch) => {
        traces?.trained(report, batch);
        record.step(report, batch, settings.encoder.tokenizer);
      },
    });
  } finally {
    await writer.stop();
    await thread?.stop();
    await record.close();
    await incoming.close();
  }
}

/** What publishes the weights; undefined where the run file has nobody serve the target. */
async function weightsThreadOf(
  { run, nats, security, target: { model, service } }: RunConfig,
  { adapter }: OpenedRun,
): Promise<WeightsThread | undefined> {
  if (service === undefined) return undefined;
  return startWeightsThread({ run, where: { nats, security }, replicas: nats.replicas, model, adapter });
}

function publishedWeights(
  { publish, has }: WeightsThread,
  { trainer }: RunConfig,
  { engine, record, notifier, tasks, log }: OpenedRun,
): BackgroundWeights {
  const weights = new BackgroundWeights({
    every: trainer.weightsEvery,
    weights: () => engine.weights(),
    publish,
    has,
    onChange: () => notifier.notifyAll(),
    onWaited: (checkpoint) => record.time.add({ checkpoint }),
    signal: tasks.signal,
    log,
  });
  tasks.run((signal) => weights.keepThere(signal));
  return weights;
}

/** The evaluation on the held-out texts; undefined where the run file does not ask for it. */
async function evaluationOf(
  { trainer, heldOut, contextLength }: RunConfig,
  encoders: readonly ContentEncoder[],
  { engine, settings: { encoder }, record, log }: OpenedRun,
): Promise<Evaluation | undefined> {
  if (trainer.evaluateEvery === undefined) return undefined;
  const skipped = new SkippedRows();
  const losses = await openHeldOut(heldOut, [encoder, ...encoders], {
    target: encoder,
    contextLength,
    onSkipped: (row) => skipped.add(row),
  });
  if (skipped.count > 0) log.warn({ skipped: skipped.counts }, `heldOut: ${skipped.sentence()}`);
  return {
    every: trainer.evaluateEvery,
    evaluate: () => losses(engine),
    report: (step, bitsPerByte) => {
      record.evaluated({ step, bitsPerByte });
      log.info({ step, bitsPerByte }, `Held-out loss after step ${step}: ${perDomain(bitsPerByte)}`);
    },
  };
}

const perDomain = (bitsPerByte: Readonly<Record<string, number>>): string =>
  Object.entries(bitsPerByte)
    .map(([domain, bits]) => `${domain} ${bits.toFixed(3)}`)
    .join(', ')
    .concat(' bits per byte');

/**
 * Writes what a finished run has made: the fused model, whole, and the adapter alone where one was trained.
 *
 * @returns directory of the fused model
 */
async function writeResults(
  config: RunConfig,
  adapter: AdapterConfig | undefined,
  checkpoint: SavedCheckpoint,
): Promise<string> {
  const { model: target } = config.target;
  const { tensors } = await readSnapshot(checkpoint);
  const trained = weightsByName(tensors);
  if (adapter) await writeAdapter(join(config.trainer.output, 'adapter'), adapter, tensors);
  const directory = fusedModelDirectory(config);
  await writeModel(directory, target, adapter ? await mergedWeights(target, adapter, trained) : trained);
  return directory;
}
