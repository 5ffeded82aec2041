import type { ModelSize } from '../../examples/zoo/families/size.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Experiment } from './experiment.ts';

/** What the page of a study beside the demo's, docs/results/NAME.md, says of it. */
export interface PageOfStudy {
  /** Its heading. */
  readonly title: string;
  /** What the study differs from the demo's in, as the first paragraph. */
  readonly about: string;
  /** A command that comes before the study. */
  readonly preparation?: string;
}

/** Trainings of a target that are compared with each other. */
export interface Study {
  /** Of its file of results. */
  readonly name: string;
  /** Texts, models, batches and schedule. */
  readonly config: RunConfig;
  /** Of the targets; left out, the zoo's. */
  readonly targetSize?: ModelSize;
  readonly experiments: readonly Experiment[];
  /** Left out, it is docs/results.md, which says more. */
  readonly page?: PageOfStudy;
}
