import type { TrainingEngine } from '../engine/training-engine.ts';
import type { Fusion } from '../fusion/fusion-of-run.ts';
import type { AdapterConfig } from '../model/lora/read-adapter.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { BackgroundTasks } from '../process/lifecycle/background-tasks.ts';
import type { Notifier } from '../process/lifecycle/notifier.ts';
import type { Readiness } from '../process/lifecycle/readiness.ts';
import type { Log } from '../process/log/log.ts';
import type { ProcessMetrics } from '../process/metrics/process-metrics.ts';
import type { Tracer } from '../process/tracing/tracer.ts';
import type { NatsConnection } from '../wire/nats/connection.ts';
import type { RunStreams } from '../wire/nats/run-streams.ts';
import type { TrainerMetrics } from './report/metrics.ts';
import type { RunStatus } from './report/run-status.ts';
import type { TrainingControl } from './report/training-control.ts';

/** What a training tells and is told through. */
export interface TrainingContext {
  readonly status: RunStatus;
  readonly control: TrainingControl;
  readonly metrics: TrainerMetrics;
  /** HOST:PORT of its gRPC service, and port of /metrics and its page. */
  readonly listening: { readonly grpc: string; readonly metricsPort: number };
  /** Hears of the connection to NATS. */
  readonly onNats: ProcessMetrics['onNats'];
  /** Is told when the target is loaded, and of NATS. */
  readonly readiness: Readiness;
  /** Shared by all that sleeps and wakes in this training. */
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Left out, no traces are made. */
  readonly tracer?: Tracer | undefined;
}

/** {@link TrainingContext} and what was opened for the training. */
export interface OpenedTraining extends TrainingContext {
  readonly tasks: BackgroundTasks;
  readonly connection: NatsConnection;
  readonly streams: RunStreams;
  readonly engine: TrainingEngine;
  /** What the engine trains beside the target's weights; undefined where it trains the weights. */
  readonly adapter: AdapterConfig | undefined;
  /** The target's. */
  readonly tokenizer: Tokenizer;
  readonly fusion: Fusion;
}
