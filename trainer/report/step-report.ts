import type { StepResult } from '../../engine/training-worker.ts';
import type { StepBatch } from '../../fusion/batch/batches.ts';
import type { MassCount } from '../../fusion/fuse/source-row.ts';
import { type FigureValues, figuresOf } from '../../wire/messages/figure-values.ts';
import type { RolloutTotals } from '../checkpoint/rollout-totals.ts';
import type { TrainingState } from '../checkpoint/training-state.ts';
import { type StepRollouts, stepRollouts } from './rollouts/step-rollouts.ts';
import type { PhaseSeconds } from './time-spent.ts';

/**
 * What one step did; as TrainingStep in proto/fusemesh/v1/trainer.proto, and a little more for the metrics. The
 * losses and the gradient's norm of a skipped step are NaN or infinite.
 */
export interface StepReport extends FigureValues {
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
  /** Documents of this step that nothing could be learnt from. */
  readonly passedOver: number;
  /** Whether nothing was learnt: loss or gradient is NaN or infinite, or all its documents are passed over. */
  readonly skipped: boolean;
  /** Names of the sources that taught this step's documents, one a document that one taught; none where it was skipped. */
  readonly chosen: readonly string[];
  /** By source: numbers of this step's documents that were joined without it. */
  readonly without: Readonly<Record<string, readonly number[]>>;
  /** Tokens of the target that do not spell the text at their place. */
  readonly doubtfulTokens: number;
  /** Where the mass of the sources' candidates went, summed over positions. */
  readonly mass: MassCount;
  /** By source: positions that it taught, shared where several did. */
  readonly taught: Readonly<Record<string, number>>;
  /** What it trained on that the target wrote itself; undefined where that is nothing, or the step was skipped. */
  readonly rollouts: StepRollouts | undefined;
  /** Since the run began, over restarts. */
  readonly rolloutTotals: RolloutTotals;
  /** Documents of this step that the target wrote and that were passed over. */
  readonly droppedRollouts: number;
  /** Steps skipped since the run began, over restarts. */
  readonly skippedSteps: number;
  /** The wait for its documents included. */
  readonly seconds: number;
  /** What the time since the step before went into. */
  readonly time: PhaseSeconds;
  /** Time for alignment and fusion of its documents, mostly spent while the engine computed. */
  readonly fusionSeconds: number;
  /** Bytes that went to the device, and came from there; 0 on the processor. */
  readonly bytesToDevice: number;
  readonly bytesFromDevice: number;
  readonly tokensPerSecond: number;
}

/** What the loop knows of a step, beside its batch and its result. */
interface StepCircumstances {
  readonly sources: readonly string[];
  readonly learningRate: number;
  readonly seconds: number;
  readonly time: PhaseSeconds;
}

/** @param state after the step */
export function stepReport(
  state: TrainingState,
  {
    count,
    documents,
    passedOver,
    chosenSources,
    absentSources,
    rollouts,
    droppedRollouts,
    fusionSeconds,
  }: StepBatch,
  result: StepResult,
  { sources, learningRate, seconds, time }: StepCircumstances,
): StepReport {
  return {
    step: state.step,
    documents: state.documents,
    tokens: state.tokens,
    stepTokens: count.positions,
    stepDocuments: documents.length,
    passedOver: passedOver.length,
    skipped: !result.finite,
    chosen: result.finite ? chosenSources.flatMap((source) => sources[source] ?? []) : [],
    without: documentsWithout(documents, absentSources, sources),
    ...figuresOf({
      ...result,
      learningRate,
      alignedShare: count.aligned / Math.max(1, count.positions),
    }),
    doubtfulTokens: count.doubtful,
    mass: count.mass,
    rollouts: result.finite ? stepRollouts(rollouts, state.step, sources) : undefined,
    rolloutTotals: state.rollouts,
    droppedRollouts,
    skippedSteps: state.skippedSteps,
    fusionSeconds,
    bytesToDevice: result.bytesToDevice,
    bytesFromDevice: result.bytesFromDevice,
    taught: Object.fromEntries(sources.map((name, s) => [name, count.taught[s]])),
    seconds,
    time,
    tokensPerSecond: count.positions / seconds,
  };
}

function documentsWithout(
  documents: readonly number[],
  absentSources: readonly (readonly number[])[],
  sources: readonly string[],
): Record<string, number[]> {
  const without: Record<string, number[]> = {};
  for (const [i, absent] of absentSources.entries()) {
    for (const source of absent) {
      without[sources[source]] ??= [];
      without[sources[source]].push(documents[i]);
    }
  }
  return without;
}
