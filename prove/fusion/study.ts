import type { RunConfig } from '../../process/config/schema.ts';
import type { Experiment } from './experiment.ts';

/** Trainings of a target that are compared with each other. */
export interface Study {
  /** Texts, models, batches and schedule. */
  readonly config: RunConfig;
  readonly experiments: readonly Experiment[];
  /** File of the results so far. */
  readonly resultsPath: string;
}
