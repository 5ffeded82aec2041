import type { Notifier } from '../process/lifecycle/notifier.ts';
import type { Readiness } from '../process/lifecycle/readiness.ts';
import type { Log } from '../process/log/log.ts';
import type { ProcessMetrics } from '../process/metrics/process-metrics.ts';
import type { Tracer } from '../process/tracing/tracer.ts';
import type { Intake } from './intake/intake.ts';
import type { TrainerMetrics } from './report/metrics.ts';
import type { RunRecord } from './report/run-record.ts';
import type { RunStatus } from './report/run-status.ts';

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
