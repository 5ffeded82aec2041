import { once } from 'node:events';
import type { PageSource } from '../page/page-source.ts';
import { servePage } from '../page/serve-page.ts';
import type { RunConfig } from '../process/config/schema.ts';
import { serveHttp } from '../process/http/serve-http.ts';
import { holdDirectory } from '../process/lifecycle/hold-directory.ts';
import { Notifier } from '../process/lifecycle/notifier.ts';
import { Readiness } from '../process/lifecycle/readiness.ts';
import type { Log } from '../process/log/log.ts';
import { createRegister } from '../process/metrics/create-register.ts';
import { processMetrics } from '../process/metrics/process-metrics.ts';
import { hostOfAddress } from '../process/security/loopback.ts';
import type { Tracer } from '../process/tracing/tracer.ts';
import { portOf, withPort } from '../wire/discovery/advertised-address.ts';
import { serve } from '../wire/grpc/serve.ts';
import { freeMemoryFor, memoryLine, planMemory } from './engine-of-run.ts';
import { finishedBefore } from './finished-before.ts';
import { fusedModelDirectory } from './fused-model.ts';
import { Intake } from './intake/intake.ts';
import { unattachedSources } from './intake/sources/source.ts';
import { withRecordedSources } from './recorded-sources.ts';
import { historyMessage } from './report/history/history-message.ts';
import { type ObservedRun, TrainerMetrics } from './report/metrics.ts';
import { RunRecord } from './report/run-record.ts';
import { RunStatus } from './report/run-status.ts';
import { statusMessage } from './report/status-message.ts';
import { trainerService } from './report/trainer-service.ts';
import { TrainingControl } from './report/training-control.ts';
import { trainRun } from './train-run.ts';

export interface TrainerOptions {
  /** When it aborts, the trainer finishes the step in hand, writes a checkpoint and leaves. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Left out, no traces are made. */
  readonly tracer?: Tracer | undefined;
  /** When the run is over, and where it was before, the trainer goes on serving until it is stopped. */
  readonly stay?: boolean | undefined;
  /** Called when both servers listen. */
  readonly onReady?: (ready: { grpc: string; metricsPort: number; note: string }) => void;
}

/**
 * The trainer: serves TrainerService, /metrics and its page, trains the target on what the teachers of the run say,
 * and resolves when the fused model is written or when it was stopped.
 */
export async function runTrainer(given: RunConfig, options: TrainerOptions): Promise<void> {
  const config = await withRecordedSources(given);
  const letGo = await holdDirectory(config.trainer.output, `train run ${config.run}`);
  try {
    await serveAndTrain(config, options);
  } finally {
    await letGo();
  }
}

async function serveAndTrain(config: RunConfig, options: TrainerOptions): Promise<void> {
  const { signal, tracer, stay, onReady } = options;
  const log = options.log.child({ run: config.run });
  const note = memoryLine(await planMemory(config, await freeMemoryFor(config)));
  log.info(note);

  const notifier = new Notifier();
  const control = new TrainingControl(notifier);
  const readiness = trainerReadiness(signal);
  const register = createRegister({ run: config.run });
  const { onHandled, onNats } = processMetrics(register);
  const metrics = new TrainerMetrics(register, (): ObservedRun => observed(status));
  const intake = new Intake(unattachedSources(config), metrics);
  const record = new RunRecord({
    metrics,
    notifier,
    log,
    sourceRates: () => intake.rates(),
    onPolicy: config.onPolicy !== undefined,
  });
  const status = new RunStatus(config.run, { control, record, intake });

  const grpc = await serve({
    address: config.trainer.listen ?? config.trainer.address,
    services: [trainerService(status, log)],
    log,
    security: config.security,
    readiness,
    onHandled,
  });
  try {
    const page = servePage(pageSource(status));
    const { security } = config;
    const { address, listen, advertise, metricsPort: port } = config.trainer;
    const host = hostOfAddress(listen ?? address);
    const http = await serveHttp(register, {
      host,
      port,
      log,
      route: page.route,
      readiness,
      security,
    });
    try {
      // A run has one trainer: who listens elsewhere is called at the address all the same.
      const called = advertise ?? (listen ? address : grpc.address);
      const listening = { grpc: withPort(called, portOf(grpc.address)), metricsPort: http.port };
      onReady?.({ ...listening, note });
      const before = stay ? await finishedBefore(config, log) : undefined;
      if (before === undefined) {
        await trainRun(config, {
          status,
          record,
          intake,
          metrics,
          listening,
          onNats,
          readiness,
          notifier,
          signal,
          log,
          tracer,
        });
      } else {
        const { step, documents } = before.state;
        record.plan({ steps: step, documents });
        await record.resume(config.trainer.output, before);
        await record.close();
      }
      record.end(signal.aborted ? 'stopped' : 'finished');
      if (stay && !signal.aborted) {
        for (const part of ['model', 'nats']) readiness.has(part);
        log.info(
          { directory: fusedModelDirectory(config) },
          `Run ${config.run} has finished${before ? ' before' : ''}: the trainer does nothing more, and stays until it is stopped`,
        );
        await once(signal, 'abort');
      }
    } catch (error) {
      record.end('failed');
      throw error;
    } finally {
      await page.farewell();
      await http.stop();
    }
  } finally {
    await grpc.stop();
  }
}

/** A trainer is ready once its target is loaded and NATS answers, until it is stopped. */
function trainerReadiness(signal: AbortSignal): Readiness {
  const readiness = new Readiness();
  readiness.lacks('model', 'the target is being loaded');
  readiness.lacks('nats', 'the connection to NATS does not stand yet');
  signal.addEventListener('abort', () => readiness.lacks('process', 'it is stopping'), { once: true });
  return readiness;
}

const pageSource = (status: RunStatus): PageSource => ({
  status: () => statusMessage(status),
  history: (afterStep) => historyMessage(status.record.history.since(afterStep)),
  alignment: () => status.record.alignment,
});

const observed = (status: RunStatus): ObservedRun => ({
  state: status.stateName,
  time: status.record.time.total,
  plannedSteps: status.record.planned.steps,
  sources: status.sources,
});
