import { join } from 'node:path';
import { TrainingEngine } from '../engine/training-engine.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { fusionOf } from '../fusion/fusion-of-run.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../process/config/schema.ts';
import { BackgroundTasks } from '../process/lifecycle/background-tasks.ts';
import { findTeachers } from '../wire/discovery/find.ts';
import { type ConnectionEvent, connectNats } from '../wire/nats/connection.ts';
import { openRunStreams, type RunState } from '../wire/nats/run-streams.ts';
import { readSnapshot, type SavedCheckpoint } from './checkpoint/read-checkpoint.ts';
import { resumePoint } from './checkpoint/resume-point.ts';
import { engineOptionsOf } from './engine-of-run.ts';
import { fuseAndTrain } from './fuse-and-train.ts';
import { Intake } from './intake/read/intake.ts';
import { awaitManifest } from './intake/read/manifest.ts';
import { watchStreams } from './intake/read/watch-streams.ts';
import { detach, keepAttached } from './intake/sources/keep-attached.ts';
import { keepReplicas } from './intake/sources/keep-replicas.ts';
import { recallTokenizers } from './intake/sources/kept-tokenizers.ts';
import { type Source, unattachedSources } from './intake/sources/source.ts';
import { registerTrainer } from './report/register-trainer.ts';
import { nothingKnown, sourceViews } from './report/source-views.ts';
import { totalSteps } from './schedule.ts';
import { targetAdapter } from './target-adapter.ts';
import type { OpenedTraining, TrainingContext } from './training-context.ts';
import { writeResults } from './write-results.ts';

/** Trains from the start or from the newest checkpoint to the end, and writes the fused model there. */
export async function runTraining(config: RunConfig, context: TrainingContext): Promise<void> {
  const { control, notifier, log } = context;
  const tasks = new BackgroundTasks(context.signal, notifier);
  const model = config.target.model;
  const tokenizer = await Tokenizer.fromFile(join(model, 'tokenizer.json'));
  const fusion = fusionOf(config);
  const adapter = await targetAdapter(config.target);
  const connection = await connectNats(config, `fusemesh trainer ${config.run}`, {
    log,
    onEvent: (event) => hearOfNats(event, context),
  });
  try {
    await registerTrainer(connection, context);
    const engine = await TrainingEngine.start(model, engineOptionsOf(config, fusion));
    context.readiness.has('model');
    try {
      const streams = openRunStreams(connection, config.run);
      const opened = { ...context, tasks, connection, streams, engine, tokenizer, fusion, adapter };
      const checkpoint = await trainToTheEnd(config, opened);
      tasks.throwFailure();
      if (checkpoint === undefined) {
        log.info({ step: context.status.lastStep?.step ?? 0 }, 'The training is stopped before its end');
        return;
      }
      const fused = await writeResults(config.trainer.output, model, adapter, checkpoint);
      log.info(
        { step: checkpoint.state.step, directory: fused },
        `The training is done: the fused model is in ${fused}`,
      );
    } finally {
      await engine.close();
    }
  } finally {
    control.end(new FuseMeshError('cancelled', `The trainer of run ${config.run} is stopping.`));
    await tasks.stop();
    await connection.close();
  }
}

function hearOfNats(event: ConnectionEvent, { onNats, readiness }: TrainingContext): void {
  onNats(event);
  if (event === 'connected' || event === 'back') readiness.has('nats');
  else readiness.lacks('nats', 'the connection to NATS is lost');
}

/** @returns the checkpoint of the last step; undefined when it was stopped before */
async function trainToTheEnd(
  config: RunConfig,
  opened: OpenedTraining,
): Promise<SavedCheckpoint | undefined> {
  const { tasks, streams, engine, status, metrics, notifier, log } = opened;
  const { run, trainer, topK } = config;
  const sources = unattachedSources(config);
  const names = sources.map(({ name }) => name);
  const intake = new Intake(metrics);
  metrics.expect(names);
  status.sources = () => sourceViews(sources, [], { ...nothingKnown, intake, streams: status.streams });
  await streams.ensure(config.nats);
  const tell = (state: RunState) => {
    status.streams = state;
    metrics.watched(state);
  };
  tasks.run((signal) => watchStreams(streams, names, { signal, log, tell }));
  const manifest = await awaitManifest(streams, { signal: tasks.signal, log });
  if (manifest === undefined) return undefined;

  const corpusSha256 = Buffer.from(manifest.sha256).toString('hex');
  const resume = await resumePoint(join(trainer.output, 'checkpoints'), run, corpusSha256, log);
  status.totalSteps = totalSteps(trainer, Number(manifest.documents), resume.state);
  status.totalDocuments = Number(manifest.documents);
  if (resume.state.step >= status.totalSteps) return resume.resumedFrom;
  if (resume.resumedFrom !== undefined) await engine.restore(await readSnapshot(resume.resumedFrom));

  if (trainer.join !== 'all') await recallTokenizers(trainer.output, sources);
  for (const source of sources) {
    tasks.run((signal) => keepAttached(source, source.named, { run, topK, notifier, signal, log }));
  }
  const find = () => findTeachers(opened.connection);
  tasks.run((signal) => keepReplicas(sources, find, { run, topK, notifier, signal, log }));
  const checkpoint = await fuseAndTrain(config, opened, { sources, intake, resume, manifest });
  if (checkpoint === undefined || checkpoint.state.step < status.totalSteps) return undefined;
  await leave(sources, run, opened);
  return checkpoint;
}

/** The run is over: every teacher may turn to others. */
async function leave(
  sources: readonly Source[],
  run: string,
  { tasks, streams, log }: OpenedTraining,
): Promise<void> {
  await tasks.stop();
  await Promise.all([streams.tellRunOver(), ...sources.map((source) => detach(source, run, log))]);
}
