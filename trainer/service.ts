import type { RunConfig } from '../mesh/config/schema.ts';
import { TrainerState } from '../mesh/generated/fusemesh/v1/trainer_pb.ts';
import { serve } from '../mesh/grpc/serve.ts';
import { Readiness } from '../mesh/lifecycle/readiness.ts';
import type { Log } from '../mesh/log/log.ts';
import { createRegister } from '../mesh/metrics/create-register.ts';
import { processMetrics } from '../mesh/metrics/process-metrics.ts';
import { serveMetrics } from '../mesh/metrics/serve-metrics.ts';
import type { Tracer } from '../mesh/tracing/tracer.ts';
import type { PageSource } from '../page/page-source.ts';
import { servePage } from '../page/serve-page.ts';
import { Change } from './change.ts';
import { checkTrainerConfig } from './check-config.ts';
import { historyMessage } from './history/history-message.ts';
import { memoryLine, planMemory } from './memory-plan.ts';
import { type ObservedRun, TrainerMetrics } from './metrics.ts';
import { RunStatus } from './run-status.ts';
import { runTraining } from './run-training.ts';
import { statusMessage } from './status-message.ts';
import { trainerService } from './trainer-service.ts';
import { TrainingControl } from './training-control.ts';

export interface TrainerOptions {
  /** When it aborts, the trainer finishes the step in hand, writes a checkpoint and leaves. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Left out, no traces are made. */
  readonly tracer?: Tracer | undefined;
  /** Called when both servers listen. */
  readonly onReady?: (ready: { grpc: string; metricsPort: number; note: string }) => void;
}

/**
 * The trainer: serves TrainerService, /metrics and its page, trains the target on what the teachers of the run say,
 * and resolves when the fused model is written or when it was stopped.
 */
export async function runTrainer(config: RunConfig, options: TrainerOptions): Promise<void> {
  const { signal, tracer, onReady } = options;
  const log = options.log.child({ run: config.run });
  checkTrainerConfig(config);
  const note = memoryLine(await planMemory(config, process.availableMemory()));
  log.info(note);

  const change = new Change();
  const control = new TrainingControl(change);
  const status = new RunStatus(config.run, change, control);
  const readiness = trainerReadiness(signal);
  const register = createRegister({ run: config.run });
  const { onHandled, onNats } = processMetrics(register);
  const metrics = new TrainerMetrics(register, () => observed(status));

  const grpc = await serve({
    address: config.trainer.address,
    services: [trainerService(status, log)],
    log,
    readiness,
    onHandled,
  });
  try {
    const page = servePage(pageSource(status));
    const http = await serveMetrics(register, {
      port: config.trainer.metricsPort,
      log,
      route: page.route,
      readiness,
    });
    try {
      onReady?.({ grpc: grpc.address, metricsPort: http.port, note });
      await runTraining(config, { status, control, metrics, onNats, readiness, change, signal, log, tracer });
      status.end(signal.aborted ? status.phase : TrainerState.FINISHED);
    } catch (error) {
      status.end(TrainerState.FAILED);
      throw error;
    } finally {
      await page.farewell();
      await http.stop();
    }
  } finally {
    await grpc.stop();
  }
}

/** A trainer is ready from when its target is loaded and NATS answers until it is told to stop. */
function trainerReadiness(signal: AbortSignal): Readiness {
  const readiness = new Readiness();
  readiness.lacks('model', 'the target is being loaded');
  readiness.lacks('nats', 'the connection to NATS does not stand yet');
  signal.addEventListener('abort', () => readiness.lacks('process', 'it is stopping'), { once: true });
  return readiness;
}

const pageSource = (status: RunStatus): PageSource => ({
  status: () => statusMessage(status),
  history: (afterStep) => historyMessage(status.history.since(afterStep)),
  alignment: () => status.alignment(),
});

const observed = (status: RunStatus): ObservedRun => ({
  state: status.stateName,
  time: status.time.total,
  plannedSteps: status.totalSteps,
  sources: status.sources(),
});
