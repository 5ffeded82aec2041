import type { Readiness } from '../mesh/lifecycle/readiness.ts';
import type { Log } from '../mesh/log/log.ts';
import type { ProcessMetrics } from '../mesh/metrics/process-metrics.ts';
import type { RunStreams } from '../mesh/nats/run-streams.ts';
import type { Tracer } from '../mesh/tracing/tracer.ts';
import type { AdapterConfig } from '../model/lora/read-adapter.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { BackgroundTasks } from './background-tasks.ts';
import type { Change } from './change.ts';
import type { TrainingEngine } from './engine/training-engine.ts';
import type { Fusion } from './fusion-of-run.ts';
import type { TrainerMetrics } from './metrics.ts';
import type { RunStatus } from './run-status.ts';
import type { TrainingControl } from './training-control.ts';

/** What a training tells and is told through. */
export interface TrainingContext {
  readonly status: RunStatus;
  readonly control: TrainingControl;
  readonly metrics: TrainerMetrics;
  /** Hears of the connection to NATS. */
  readonly onNats: ProcessMetrics['onNats'];
  /** Is told when the target is loaded, and of NATS. */
  readonly readiness: Readiness;
  /** Shared by all that sleeps and wakes in this training. */
  readonly change: Change;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Left out, no traces are made. */
  readonly tracer?: Tracer | undefined;
}

/** {@link TrainingContext} and what was opened for the training. */
export interface OpenedTraining extends TrainingContext {
  readonly tasks: BackgroundTasks;
  readonly streams: RunStreams;
  readonly engine: TrainingEngine;
  /** What the engine trains beside the target's weights; undefined where it trains the weights. */
  readonly adapter: AdapterConfig | undefined;
  /** The target's. */
  readonly tokenizer: Tokenizer;
  readonly fusion: Fusion;
}
