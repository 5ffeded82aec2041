import type { MassCount } from './fuse/source-row.ts';

/** What one step did; as TrainingStep in proto/fusemesh/v1/trainer.proto, and a little more for the metrics. */
export interface StepReport {
  /** 1, 2, 3, … */
  readonly step: number;
  /** Since the run began, over restarts. */
  readonly documents: number;
  /** Since the run began, over restarts. */
  readonly tokens: number;
  /** Of this step alone. */
  readonly stepTokens: number;
  /** Of this step alone. */
  readonly stepDocuments: number;
  /** Names of the sources that taught this step's documents, one a document. */
  readonly chosen: readonly string[];
  /** In nats a token. */
  readonly loss: number;
  readonly causalLoss: number;
  readonly fusionLoss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** 0 to 1. */
  readonly alignedShare: number;
  /** Tokens of the target that do not spell the text at their place. */
  readonly doubtfulTokens: number;
  /** Where the mass of the sources' candidates went, summed over positions. */
  readonly mass: MassCount;
  /** By source: positions that it taught, shared where several did. */
  readonly taught: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly waitSeconds: number;
  readonly tokensPerSecond: number;
}
