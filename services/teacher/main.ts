import { once } from 'node:events';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Generator } from '../../model/generation/generator.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { serveHttp } from '../../process/http/serve-http.ts';
import { Readiness } from '../../process/lifecycle/readiness.ts';
import type { Log } from '../../process/log/log.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { processMetrics } from '../../process/metrics/process-metrics.ts';
import { hostOfAddress } from '../../process/security/loopback.ts';
import type { Tracer } from '../../process/tracing/tracer.ts';
import { advertisedAddress, withPort } from '../../wire/discovery/advertised-address.ts';
import { describeTeacher } from '../../wire/discovery/teacher-listing.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { implement } from '../../wire/grpc/implementation.ts';
import { serve } from '../../wire/grpc/serve.ts';
import { type ConnectionEvent, connectNats } from '../../wire/nats/connection.ts';
import { LateConnection } from '../../wire/nats/late-connection.ts';
import { openRunStreams, type RunStreams } from '../../wire/nats/run-streams.ts';
import { keepRegistered } from './keep-registered.ts';
import { loadedOnce } from './loaded-once.ts';
import { NatsNeed } from './nats-need.ts';
import { RunAttachment } from './run-attachment.ts';
import { RunAttachments } from './run-attachments.ts';
import { scorerInLane } from './scorer-in-lane.ts';
import { servedModel } from './served-model.ts';
import { teacherIdentity, teacherListing } from './teacher-identity.ts';
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
 * caller asks for it (the trainer does). NATS is not needed before; as soon as it is there others find the teacher
 * over it.
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
  const { security } = config;
  const host = hostOfAddress(served.address);
  const metricsServer = await serveHttp(register, {
    ...{ host, port: served.metricsPort, log },
    ...{ readiness, security },
  });
  const scorer = await Scorer.load(served.model, { topK: config.topK, threads: served.threads }).catch(
    async (error: unknown) => {
      await metricsServer.stop();
      throw error;
    },
  );
  readiness.has('model');
  const { onHandled, onNats } = processMetrics(register);
  const metricsOfRun = teacherMetrics(register);
  const need = new NatsNeed(readiness);
  const onEvent = (event: ConnectionEvent) => {
    onNats(event);
    need.onEvent(event);
  };

  const generator = loadedOnce(() => Generator.load(served.model, { threads: served.threads }));
  const nats = new LateConnection(() => connectNats(config, `fusemesh teacher ${name}`, { log, onEvent }));
  const attachments = new RunAttachments(async (settings) => {
    const streams = openRunStreams(await nats.now(), settings.run);
    // Of another run the limits are not ours to set: its trainer has made the streams.
    if (settings.run === config.run) await streams.ensure(config.nats);
    else await expectStreams(streams, settings.run);
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
    need.attached(attachment.ended);
    return attachment;
  });

  try {
    const identity = await teacherIdentity(name, config.run, served.model);
    const server = await serve({
      address: served.address,
      services: [implement(TeacherService, teacherService(identity, scorer, generator.get, attachments))],
      log,
      security,
      readiness,
      onHandled,
    });
    log.info(
      { address: server.address, ...scorer.card },
      `Teacher ${name} is ready with a ${scorer.card.family} model`,
    );
    const registered = keepRegistered(
      nats,
      (connection) => {
        const address = advertisedAddress(server.address, connection);
        const places = { address, metricsAddress: withPort(address, metricsServer.port) };
        return describeTeacher(teacherListing(identity, scorer, places), () => attachments.work());
      },
      { signal, log },
    );
    onReady?.({ grpc: server.address, metricsPort: metricsServer.port });

    const aborted = signal.aborted ? undefined : once(signal, 'abort').then(() => undefined);
    const failure = await Promise.race([aborted, scorer.failed]);
    readiness.lacks('process', failure?.message ?? 'it is stopping');
    if (!failure) await registered;
    // Side by side: no call comes any more, and those who watch a run hear how it ends.
    await Promise.all([server.stop(), attachments.detachAll()]);
    // Without its thread it is of no use: whoever looks after the process starts it again.
    if (failure) throw failure;
  } finally {
    await nats.close();
    await generator.close();
    await scorer.close();
    await metricsServer.stop();
  }
}

async function expectStreams(streams: RunStreams, run: string): Promise<void> {
  const [documents] = (await streams.look([])).streams;
  if (documents.mostMessages > 0) return;
  throw new FuseMeshError('not_found', `NATS holds no run ${run}: its trainer, or its feeder, begins it.`);
}
