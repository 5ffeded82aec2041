import { join } from 'node:path';
import type { RunConfig } from '../process/config/schema.ts';
import type { Log } from '../process/log/log.ts';
import { newestCheckpoint } from './checkpoint/read-checkpoint.ts';
import type { ResumePoint } from './checkpoint/resume-point.ts';
import { fusedModelIsWritten } from './fused-model.ts';

/**
 * Where a run stands that has come to its end before, by what is on disk; undefined where there is more to train. It asks
 * nobody: NATS and feeder may be gone.
 */
export async function finishedBefore(
  { run, trainer }: Pick<RunConfig, 'run' | 'trainer'>,
  log: Log,
): Promise<ResumePoint | undefined> {
  if (!fusedModelIsWritten({ trainer })) return undefined;
  const saved = await newestCheckpoint(join(trainer.output, 'checkpoints'), log);
  if (saved === undefined || saved.state.run !== run) return undefined;
  // Someone may have asked for more steps since.
  return saved.state.step < (trainer.steps ?? 0) ? undefined : { state: saved.state, resumedFrom: saved };
}
