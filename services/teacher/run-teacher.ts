import { once } from 'node:events';
import type { RunConfig } from '../../mesh/config/schema.ts';
import { TeacherService } from '../../mesh/generated/fusemesh/v1/teacher_pb.ts';
import { implement } from '../../mesh/grpc/implementation.ts';
import { serve } from '../../mesh/grpc/serve.ts';
import { Readiness } from '../../mesh/lifecycle/readiness.ts';
import type { Log } from '../../mesh/log/log.ts';
import { createRegister } from '../../mesh/metrics/create-register.ts';
import { processMetrics } from '../../mesh/metrics/process-metrics.ts';
import { serveMetrics } from '../../mesh/metrics/serve-metrics.ts';
import { type ConnectionEvent, connectNats, type NatsConnection } from '../../mesh/nats/connection.ts';
import { openRunStreams } from '../../mesh/nats/run-streams.ts';
import type { Tracer } from '../../mesh/tracing/tracer.ts';
import { Generator } from '../../model/generation/generator.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { loadedOnce } from './loaded-once.ts';
import { NatsNeed } from './nats-need.ts';
import { RunAttachment } from './run-attachment.ts';
import { RunAttachments } from './run-attachments.ts';
import { scorerInLane } from './scorer-in-lane.ts';
import { servedModel } from './served-model.ts';
import { teacherMetrics } from './teacher-metrics.ts';
import { teacherService } from './teacher-service.ts';
import { TeacherTraces } from './teacher-traces.ts';

/** Where a teacher can be reached. */
export interface TeacherAddresses {
  /** HOST:PORT of the gRPC service. */
  readonly grpc: string;
  /** Port of /metrics. */
  readonly metricsPort: number;
}

export interface TeacherOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Left out, the teacher makes no traces. */
  readonly tracer?: Tracer | undefined;
  readonly onReady?: (addresses: TeacherAddresses) => void;
}

/**
 * Serves one teacher of a run, or the target's frozen copy, until the signal. It attaches to a run when a
 * caller asks for it (the trainer does); NATS is not needed before.
 *
 * @param name a name from the run's teachers, or that of target.source
 */
export async function runTeacher(
  config: RunConfig,
  name: string,
  { signal, log, tracer, onReady }: TeacherOptions,
): Promise<void> {
  const served = servedModel(config, name);
  const register = createRegister({});
  const readiness = new Readiness();
  readiness.lacks('model', 'it is being loaded');
  // First, so that those who look after processes can tell one that loads from one that hangs.
  const metricsServer = await serveMetrics(register, { port: served.metricsPort, log, readiness });
  const scorer = await Scorer.load(served.model, { topK: config.topK, threads: served.threads }).catch(
    async (error: unknown) => {
      await metricsServer.stop();
      throw error;
    },
  );
  readiness.has('model');
  const { onHandled, onNats } = processMetrics(register);
  const metricsOfRun = teacherMetrics(register);
  const nats = new NatsNeed(readiness);
  const onEvent = (event: ConnectionEvent) => {
    onNats(event);
    nats.onEvent(event);
  };

  const generator = loadedOnce(() => Generator.load(served.model, { threads: served.threads }));
  let connection: NatsConnection | undefined;
  const attachments = new RunAttachments(async (settings) => {
    connection ??= await connectNats(config.nats.url, `fusemesh teacher ${name}`, { log, onEvent });
    const streams = openRunStreams(connection, settings.run);
    await streams.ensure(config.nats);
    const { batchDocuments } = served;
    const metrics = metricsOfRun({ run: settings.run, teacher: settings.teacher });
    const { run, teacher, topK } = settings;
    const logOfRun = log.child({ run, teacher });
    logOfRun.info({ topK }, `Teacher ${teacher} is attached to run ${run}`);
    const traces = tracer && new TeacherTraces(tracer, settings);
    const attachment = new RunAttachment(settings, {
      streams,
      scorer: scorerInLane(scorer, run),
      batchDocuments,
      metrics,
      traces,
      log: logOfRun,
    });
    nats.attached(attachment.ended);
    return attachment;
  });

  try {
    const server = await serve({
      address: served.address,
      services: [implement(TeacherService, teacherService(name, scorer, generator.get, attachments))],
      log,
      readiness,
      onHandled,
    });
    log.info(
      { address: server.address, ...scorer.card },
      `Teacher ${name} is ready with a ${scorer.card.family} model`,
    );
    onReady?.({ grpc: server.address, metricsPort: metricsServer.port });

    if (!signal.aborted) await once(signal, 'abort');
    readiness.lacks('process', 'it is stopping');
    // Side by side: no call comes any more, and those who watch a run hear how it ends.
    await Promise.all([server.stop(), attachments.detachAll()]);
  } finally {
    await connection?.close();
    await generator.close();
    await scorer.close();
    await metricsServer.stop();
  }
}
