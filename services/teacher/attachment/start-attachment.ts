import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import type { Log } from '../../../process/log/log.ts';
import type { Tracer } from '../../../process/tracing/tracer.ts';
import { openRunStreams, type RunStreams } from '../../../wire/nats/run-streams.ts';
import type { teacherMetrics } from '../metric-table.ts';
import type { TeacherModel } from '../teacher-model.ts';
import type { TeacherNats } from '../teacher-nats.ts';
import { type AttachmentSettings, RunAttachment } from './run-attachment.ts';
import { TeacherTraces } from './teacher-traces.ts';

/** What a teacher has for its work, whatever the run. */
export interface Workplace {
  readonly model: TeacherModel;
  /** Documents scored together. */
  readonly batchDocuments: number;
  /** The run of its own run file. */
  readonly ownRun: Pick<RunConfig, 'run' | 'nats'>;
  readonly nats: TeacherNats;
  readonly metricsOf: ReturnType<typeof teacherMetrics>;
  /** Left out, there are no traces. */
  readonly tracer?: Tracer | undefined;
  readonly log: Log;
}

/**
 * Begins a teacher's work for a run.
 *
 * @throws FuseMeshError unavailable without NATS, not_found when NATS has no such run
 */
export async function startAttachment(
  settings: AttachmentSettings,
  { model, batchDocuments, ownRun, nats, metricsOf, tracer, log }: Workplace,
): Promise<RunAttachment> {
  const { run, teacher, topK } = settings;
  const streams = openRunStreams(await nats.now(), run);
  // The limits of another run are not ours to set: its trainer has made the streams.
  if (run === ownRun.run) await streams.ensure(ownRun.nats);
  else await expectStreams(streams, run);
  const logOfRun = log.child({ run, teacher });
  logOfRun.info({ topK }, `Teacher ${teacher} is attached to run ${run}`);
  const attachment = new RunAttachment(settings, {
    streams,
    model,
    batchDocuments,
    metrics: metricsOf({ run, teacher }),
    traces: tracer && new TeacherTraces(tracer, settings),
    log: logOfRun,
  });
  nats.neededUntil(attachment.ended);
  return attachment;
}

async function expectStreams(streams: RunStreams, run: string): Promise<void> {
  const [documents] = (await streams.look([])).streams;
  if (documents.mostMessages > 0) return;
  throw new FuseMeshError('not_found', `NATS holds no run ${run}: its trainer, or its feeder, begins it.`);
}
