import type { z } from 'zod';
import type { RunConfig, runConfigSchema } from '../../process/config/schema.ts';

type RunFile = z.input<typeof runConfigSchema>;

/** A training of the target, as far as it differs from that of the others. What is left out, the run file's schema says. */
export interface Experiment {
  readonly name: string;
  /** Table of the report that it stands in. */
  readonly group: 'main' | 'ablations' | 'sources' | 'candidates' | 'lambda' | 'sample efficiency';
  /** Names of the sources in demo.yaml; the target's frozen copy is among them. */
  readonly sources: readonly string[];
  readonly topK?: number;
  readonly lambda?: number;
  readonly fusion?: NonNullable<RunFile['fusion']>;
  /** Share of the documents that it is trained on, with a schedule of its own; 0 leaves the target as it is. */
  readonly share?: number;
  readonly learningRate?: number;
}

/** The run file of an experiment, and what a run has that is no NATS. */
export interface ExperimentSettings {
  readonly config: RunConfig;
  /** In the order in which ties between them are broken. */
  readonly sources: readonly string[];
  readonly share: number;
}
