import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../../process/log/log.ts';
import { newestCheckpoint, type SavedCheckpoint } from './read-checkpoint.ts';
import { initialState, type TrainingState } from './training-state.ts';

/** Where a training begins or resumes. */
export interface ResumePoint {
  readonly state: TrainingState;
  /** The checkpoint of that state; undefined where the training begins. */
  readonly resumedFrom: SavedCheckpoint | undefined;
}

/**
 * Looks for the newest whole checkpoint of a run.
 *
 * @param corpusSha256 in hexadecimal
 * @throws FuseMeshError failed_precondition when the checkpoints there are of another run or corpus
 */
export async function resumePoint(
  checkpoints: string,
  run: string,
  corpusSha256: string,
  log: Log,
): Promise<ResumePoint> {
  const saved = await newestCheckpoint(checkpoints, log);
  if (saved === undefined) return { state: initialState(run, corpusSha256), resumedFrom: undefined };
  const other =
    saved.state.run !== run
      ? `run ${saved.state.run}`
      : saved.state.corpusSha256 !== corpusSha256
        ? 'another corpus'
        : undefined;
  if (other !== undefined) {
    throw new FuseMeshError(
      'failed_precondition',
      `The checkpoints in ${checkpoints} are of ${other}: choose another trainer.output, or begin again with --fresh.`,
    );
  }
  const { directory, state } = saved;
  log.info(
    { step: state.step, directory },
    `The training resumes after step ${state.step}, from checkpoint ${directory}`,
  );
  return { state, resumedFrom: saved };
}
