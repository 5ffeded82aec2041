import type { ModelSize } from '../../examples/zoo/families/size.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Experiment } from './experiment.ts';

/** Trainings of a target that are compared with each other. */
export interface Study {
  /** Of its file of results and of its page, docs/results/NAME.md. */
  readonly name: string;
  /** Heading of its page. */
  readonly title: string;
  /** What it differs from the demo's study in, as the first paragraph of its page. */
  readonly about: string;
  /** Commands that come before it. */
  readonly preparation: readonly string[];
  /** Texts, models, batches and schedule. */
  readonly config: RunConfig;
  /** Of the targets; left out, the zoo's. */
  readonly targetSize?: ModelSize;
  readonly experiments: readonly Experiment[];
}
