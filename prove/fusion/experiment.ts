import type { z } from 'zod';
import type { RunConfig, runConfigSchema } from '../../process/config/schema.ts';

type RunFile = z.input<typeof runConfigSchema>;

/** How a training of the target differs from the others. What is left out takes the run file's default. */
export interface Experiment {
  readonly name: string;
  /** Table of the report that shows it. */
  readonly group: 'main' | 'ablations' | 'candidates' | 'lambda' | 'sample efficiency';
  /** Names of the sources; `target` is the target's frozen copy. */
  readonly sources: readonly string[];
  readonly topK?: number;
  readonly topP?: number;
  /** All of the topK candidates in float16, as they are recorded, and not as a teacher sends them. */
  readonly asRecorded?: true;
  readonly lambda?: number;
  readonly fusion?: NonNullable<RunFile['fusion']>;
  /** Share of the documents that it is trained on, with its own schedule; 0 leaves the target untrained. */
  readonly share?: number;
  /** Passes over them, each in an order of its own; left out, one. */
  readonly passes?: number;
  readonly learningRate?: number;
  /** With how many of the seeds it is measured at most; left out, with all. */
  readonly seeds?: number;
}

/** The run file of an experiment, its sources and its share of the documents. */
export interface ExperimentSettings {
  readonly config: RunConfig;
  /** In the order in which ties between them are broken. */
  readonly sources: readonly string[];
  readonly share: number;
  /** Of the recording's candidates, as of the run file; undefined where they are read as they are. */
  readonly topP: number | undefined;
  readonly passes: number;
}
