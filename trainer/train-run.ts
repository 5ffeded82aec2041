import { join } from 'node:path';
import { weightsByName } from '../engine/engine-snapshot.ts';
import { TrainingEngine } from '../engine/training-engine.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { fusionOf } from '../fusion/fusion-of-run.ts';
import { writeModel } from '../model/export/write-model.ts';
import { mergedWeights } from '../model/lora/merged-weights.ts';
import type { AdapterConfig } from '../model/lora/read-adapter.ts';
import { writeAdapter } from '../model/lora/write-adapter.ts';
import { onProcessorInWords } from '../model/runtime/on-processor.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../process/config/schema.ts';
import { BackgroundTasks } from '../process/lifecycle/background-tasks.ts';
import type { Notifier } from '../process/lifecycle/notifier.ts';
import type { Readiness } from '../process/lifecycle/readiness.ts';
import type { Log } from '../process/log/log.ts';
import type { ProcessMetrics } from '../process/metrics/process-metrics.ts';
import type { Tracer } from '../process/tracing/tracer.ts';
import { findTeachers } from '../wire/discovery/find.ts';
import { type ConnectionEvent, connectNats, type NatsConnection } from '../wire/nats/connection.ts';
import { openRunStreams, type RunStreams } from '../wire/nats/run-streams.ts';
import { startCheckpointWriter } from './checkpoint/checkpoint-writer.ts';
import { readSnapshot, type SavedCheckpoint } from './checkpoint/read-checkpoint.ts';
import { type ResumePoint, resumePoint } from './checkpoint/resume-point.ts';
import { adapterOf, engineOptionsOf } from './engine-of-run.ts';
import { openHeldOut } from './held-out.ts';
import type { Intake } from './intake/intake.ts';
import { awaitManifest } from './intake/read/manifest.ts';
import { detach, keepAttached } from './intake/sources/keep-attached.ts';
import { keepReplicas } from './intake/sources/keep-replicas.ts';
import { KeptModels } from './intake/sources/kept-models.ts';
import { recallTokenizers } from './intake/sources/kept-tokenizers.ts';
import { type Evaluation, train } from './loop.ts';
import { type StreamedBatches, type StreamedRun, streamedBatches } from './pipeline.ts';
import { DocumentTraces } from './report/document-traces.ts';
import type { TrainerMetrics } from './report/metrics.ts';
import { registerTrainer } from './report/register-trainer.ts';
import type { RunRecord } from './report/run-record.ts';
import type { RunStatus } from './report/run-status.ts';
import { scheduleOf, totalSteps } from './schedule.ts';

/** What the training of a run reports to, and what controls it. */
export interface TrainerParts {
  readonly status: RunStatus;
  readonly record: RunRecord;
  readonly intake: Intake;
  readonly metrics: TrainerMetrics;
  /** HOST:PORT of its gRPC service, and port of /metrics and its page. */
  readonly listening: { readonly grpc: string; readonly metricsPort: number };
  /** Hears of every event of the connection to NATS. */
  readonly onNats: ProcessMetrics['onNats'];
  /** Lacks the target until it is loaded, and NATS while it is away. */
  readonly readiness: Readiness;
  /** Wakes whatever in this training waits for a change. */
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Left out, no traces are made. */
  readonly tracer?: Tracer | undefined;
}

/** {@link TrainerParts} and what was opened for the run. */
interface OpenedRun extends TrainerParts {
  readonly tasks: BackgroundTasks;
  readonly connection: NatsConnection;
  readonly streams: RunStreams;
  readonly engine: TrainingEngine;
  /** What the engine trains beside the target's weights; undefined where it trains the weights. */
  readonly adapter: AdapterConfig | undefined;
  readonly settings: Pick<StreamedRun, 'batchDocuments' | 'contextLength' | 'tokenizer' | 'fusion'>;
}

/** Trains from the start or from the newest checkpoint to the end, and writes the fused model there. */
export async function trainRun(config: RunConfig, parts: TrainerParts): Promise<void> {
  const { status, readiness, log } = parts;
  const { contextLength, target, trainer } = config;
  const tasks = new BackgroundTasks(parts.signal, parts.notifier);
  const tokenizer = await Tokenizer.fromFile(join(target.model, 'tokenizer.json'));
  const fusion = fusionOf(config);
  const adapter = await adapterOf(target);
  const settings = { batchDocuments: trainer.batchDocuments, contextLength, tokenizer, fusion };
  const connection = await connectNats(config, `fusemesh trainer ${config.run}`, {
    log,
    onEvent: (event) => hearOfNats(event, parts),
  });
  try {
    await registerTrainer(connection, parts);
    const engineOptions = engineOptionsOf(config, fusion);
    const engine = await TrainingEngine.start(target.model, engineOptions);
    const fallen = onProcessorInWords(engineOptions.execution, engine.onProcessor);
    if (fallen) log.info(fallen);
    readiness.has('model');
    try {
      const streams = openRunStreams(connection, config.run);
      const checkpoint = await trainToTheEnd(config, {
        ...parts,
        tasks,
        connection,
        streams,
        engine,
        adapter,
        settings,
      });
      tasks.throwFailure();
      if (checkpoint === undefined) {
        log.info({ step: status.record.lastStep?.step ?? 0 }, 'The training is stopped before its end');
        return;
      }
      const fused = await writeResults(trainer.output, target.model, adapter, checkpoint);
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
    await connection.close();
  }
}

function hearOfNats(event: ConnectionEvent, { onNats, readiness }: TrainerParts): void {
  onNats(event);
  if (event === 'connected' || event === 'back') readiness.has('nats');
  else readiness.lacks('nats', 'the connection to NATS is lost');
}

/**
 * Waits for the corpus, attaches the sources, and trains on what they say.
 *
 * @returns the checkpoint of the last step; undefined when it was stopped before
 */
async function trainToTheEnd(config: RunConfig, opened: OpenedRun): Promise<SavedCheckpoint | undefined> {
  const { tasks, streams, engine, record, intake, metrics, tracer, notifier, log } = opened;
  const { run, trainer, topK } = config;
  const { sources, names } = intake;
  metrics.expect(names);
  await streams.ensure(config.nats);
  const onLook = metrics.watched.bind(metrics);
  tasks.run((signal) => intake.streams.keepLooking(streams, names, { signal, log, onLook }));
  const manifest = await awaitManifest(streams, { signal: tasks.signal, log });
  if (manifest === undefined) return undefined;

  const corpusSha256 = Buffer.from(manifest.sha256).toString('hex');
  const resume = await resumePoint(join(trainer.output, 'checkpoints'), run, corpusSha256, log);
  const { step, documents: from } = resume.state;
  const documents = Number(manifest.documents);
  const steps = totalSteps(trainer, documents, resume.state);
  record.plan({ steps, documents });
  if (step >= steps) return resume.resumedFrom;
  if (resume.resumedFrom !== undefined) await engine.restore(await readSnapshot(resume.resumedFrom));

  if (trainer.join !== 'all') await recallTokenizers(trainer.output, sources);
  const models = await KeptModels.recall(trainer.output, { run, corpusSha256 }, sources);
  const attaching = { run, topK, models, notifier, log };
  for (const source of sources) {
    tasks.run((signal) => keepAttached(source, source.named, { ...attaching, signal }));
  }
  const find = () => findTeachers(opened.connection);
  tasks.run((signal) => keepReplicas(sources, find, { ...attaching, signal }));

  const traces = tracer && new DocumentTraces(tracer, { run, sources: names }, from);
  const incoming = await streamedBatches({
    ...opened.settings,
    run,
    manifest,
    from,
    until: Math.min(documents, from + (steps - step) * trainer.batchDocuments),
    topK,
    join: trainer.join,
    output: trainer.output,
    streams,
    intake,
    tasks,
    notifier,
    metrics,
    arrivals: traces,
    log,
  });
  if (incoming === undefined) return undefined;
  const checkpoint = await trainFrom(config, opened, { resume, incoming, traces });
  if (checkpoint === undefined || checkpoint.state.step < steps) return undefined;

  // The run is over: every teacher may work for other runs.
  await tasks.stop();
  await Promise.all([streams.tellRunOver(), ...sources.map((source) => detach(source, run, log))]);
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
    readonly incoming: StreamedBatches;
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
  try {
    const evaluation = await evaluationOf(config, incoming.tokenizers, opened);
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
      save: async (state, snapshot) => {
        const began = performance.now();
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
        record.step(report, batch, settings.tokenizer);
      },
    });
  } finally {
    await writer.stop();
    await record.close();
    await incoming.close();
  }
}

/** The evaluation on the held-out texts; undefined where the run file does not ask for it. */
async function evaluationOf(
  { trainer, heldOut, contextLength }: RunConfig,
  tokenizers: readonly Tokenizer[],
  { engine, settings: { tokenizer: target }, record, log }: OpenedRun,
): Promise<Evaluation | undefined> {
  if (trainer.evaluateEvery === undefined) return undefined;
  const losses = await openHeldOut(heldOut, [target, ...tokenizers], { target, contextLength });
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
 * @param target Hugging Face directory of the model that was taught
 * @returns directory of the fused model
 */
async function writeResults(
  output: string,
  target: string,
  adapter: AdapterConfig | undefined,
  checkpoint: SavedCheckpoint,
): Promise<string> {
  const { tensors } = await readSnapshot(checkpoint);
  const trained = weightsByName(tensors);
  if (adapter) await writeAdapter(join(output, 'adapter'), adapter, tensors);
  const directory = join(output, 'model');
  await writeModel(directory, target, adapter ? await mergedWeights(target, adapter, trained) : trained);
  return directory;
}
