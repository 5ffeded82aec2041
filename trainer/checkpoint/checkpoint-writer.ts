import { type EngineSnapshot, transferringSnapshot } from '../../engine/engine-snapshot.ts';
import { startWorker } from '../../model/runtime/worker.ts';
import type { CheckpointMethods } from './checkpoint-worker.ts';
import type { TrainingState } from './training-state.ts';
import type { CheckpointOptions } from './write-checkpoint.ts';

/** Writes checkpoints in a thread of its own: writing and hashing would keep gRPC and NATS waiting. */
export interface CheckpointWriter {
  /** As writeCheckpoint does it; the snapshot is handed over and is empty on this side afterwards. */
  write(options: CheckpointOptions, state: TrainingState, snapshot: EngineSnapshot): Promise<string>;
  stop(): Promise<void>;
}

export function startCheckpointWriter(): CheckpointWriter {
  const { remote, stop } = startWorker<CheckpointMethods>(new URL('./checkpoint-worker.ts', import.meta.url));
  return {
    write: (options, state, snapshot) => remote.write(options, state, transferringSnapshot(snapshot)),
    stop,
  };
}
