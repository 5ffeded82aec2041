import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { RunConfig } from '../../process/config/schema.ts';
import { serveHttp } from '../../process/http/serve-http.ts';
import { Readiness } from '../../process/lifecycle/readiness.ts';
import { unlessAborted } from '../../process/lifecycle/unless-aborted.ts';
import type { Log } from '../../process/log/log.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { processMetrics } from '../../process/metrics/process-metrics.ts';
import { hostOfAddress } from '../../process/security/loopback.ts';
import type { Tracer } from '../../process/tracing/tracer.ts';
import { advertisedAddress, portOf, withPort } from '../../wire/discovery/advertised-address.ts';
import { describeTeacher } from '../../wire/discovery/teacher-listing.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { GRPCInferenceService } from '../../wire/generated/inference/grpc_predict_v2_pb.ts';
import { implement } from '../../wire/grpc/implementation.ts';
import { serve } from '../../wire/grpc/serve.ts';
import { inferenceService } from '../inference/inference-service.ts';
import { RunAttachments } from './attachment/run-attachments.ts';
import { startAttachment } from './attachment/start-attachment.ts';
import { type LoadModel, loadModel } from './load-model.ts';
import { teacherMetrics } from './metric-table.ts';
import { teacherCalls } from './service/teacher-calls.ts';
import { teacherInference } from './service/teacher-inference.ts';
import { teacherService } from './service/teacher-service.ts';
import { type TeacherIdentity, teacherListing } from './teacher-identity.ts';
import type { TeacherModel } from './teacher-model.ts';
import { TeacherNats } from './teacher-nats.ts';
import { type TeacherSettings, teacherSettings } from './teacher-settings.ts';

/** Where a teacher can be reached. */
export interface TeacherAddresses {
  /** HOST:PORT at which the gRPC service is called. */
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
 * Serves one teacher of a run, or the target's frozen copy, until the signal. It attaches to a run when a caller (the
 * trainer) asks for it, and needs NATS only then; as soon as NATS is there, others find it over NATS.
 *
 * @param name a name from the run's teachers, or that of target.source
 * @param load left out, the run file's model is loaded into this process, or its server reached
 * @throws FuseMeshError what the model failed with: whoever looks after the process starts it again
 */
export async function runTeacher(
  config: RunConfig,
  name: string,
  options: TeacherOptions,
  load: LoadModel = loadModel,
): Promise<void> {
  const settings = teacherSettings(config, name);
  const register = createRegister({});
  const readiness = new Readiness();
  readiness.lacks('model', 'it is being loaded');
  // Before the model, so that whoever looks after processes can tell one that loads from one that hangs.
  const http = await serveHttp(register, {
    host: hostOfAddress(settings.listen ?? settings.address),
    port: settings.metricsPort,
    log: options.log,
    readiness,
    security: config.security,
  });
  try {
    const { log, signal } = options;
    const model = await load(settings, { config, register, readiness, log, signal });
    readiness.has('model');
    try {
      await teach(model, { config, settings, register, readiness, metricsPort: http.port, ...options });
    } finally {
      await model.close();
    }
  } finally {
    await http.stop();
  }
}

/** The process around a model. */
interface Surroundings extends TeacherOptions {
  readonly config: RunConfig;
  readonly settings: TeacherSettings;
  readonly register: Registry;
  readonly readiness: Readiness;
  readonly metricsPort: number;
}

/** Serves and registers a loaded model until the signal, or until it fails. */
async function teach(model: TeacherModel, surroundings: Surroundings): Promise<void> {
  const { config, settings, register, readiness, metricsPort, signal, log, tracer, onReady } = surroundings;
  const { name, batchDocuments, execution, device } = settings;
  const { onHandled, onNats } = processMetrics(register);
  const metricsOf = teacherMetrics(register);
  const nats = new TeacherNats(config, name, { readiness, onEvent: onNats, log });
  const attachments = new RunAttachments((attachment) =>
    startAttachment(attachment, { model, batchDocuments, ownRun: config, nats, metricsOf, tracer, log }),
  );
  const calls = teacherCalls();
  const identity: TeacherIdentity = { name, run: config.run, instance: randomUUID() };
  try {
    const grpc = await serve({
      address: settings.listen ?? settings.address,
      services: [
        implement(TeacherService, teacherService(identity, model, attachments, calls)),
        implement(GRPCInferenceService, inferenceService(teacherInference(name, model, calls), readiness)),
      ],
      log,
      security: config.security,
      readiness,
      onHandled,
    });
    log.info(
      { address: grpc.address, execution, device, ...model.card },
      `Teacher ${name} is ready with a ${model.card.family} model ${placeOf(settings)}`,
    );
    const registered = nats.keepRegistered((connection) => {
      const address = advertisedAddress(grpc.address, connection, settings.advertise);
      const metricsAddress = withPort(address, metricsPort);
      const listing = teacherListing(identity, model, { address, metricsAddress });
      return describeTeacher(listing, () => attachments.work());
    }, signal);
    const called = settings.listen ? withPort(settings.address, portOf(grpc.address)) : grpc.address;
    onReady?.({ grpc: called, metricsPort });

    const failure = await unlessAborted(model.failed, signal);
    readiness.lacks('process', failure?.message ?? 'it is stopping');
    if (!failure) await registered;
    // Side by side: no call comes any more, and those who watch a run hear how it ends.
    await Promise.all([grpc.stop(), attachments.detachAll()]);
    if (failure) throw failure;
  } finally {
    await nats.close();
  }
}

/** Where a teacher's model computes, for its first line. */
function placeOf({ execution, device, served }: TeacherSettings): string {
  if (served) return `at ${(served.urls ?? [served.url]).join(', ')}`;
  return `on ${execution === 'cuda' ? `cuda device ${device}` : execution}`;
}
