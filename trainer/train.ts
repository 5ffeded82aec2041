import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { AssembledBatch } from './batch/assemble-batch.ts';
import type { SavedCheckpoint } from './checkpoint/read-checkpoint.ts';
import type { TrainingState } from './checkpoint/training-state.ts';
import type { EngineSnapshot } from './engine/engine-snapshot.ts';
import type { TrainingEngine } from './engine/training-engine.ts';
import { learningRateAt, type Schedule } from './schedule.ts';
import type { StepReport } from './step-report.ts';
import type { TrainingControl } from './training-control.ts';

/** All that the loop works with. */
export interface Training {
  /** Stands at `state.step` steps. */
  readonly engine: TrainingEngine;
  /** Gives the batches of the steps that are left, in order; fewer when it is aborted. */
  readonly batches: AsyncIterator<AssembledBatch>;
  readonly state: TrainingState;
  /** The checkpoint of that state; undefined where the training begins. */
  readonly resumedFrom: SavedCheckpoint | undefined;
  readonly schedule: Schedule;
  /** Names of the sources, in the order of the batches' indices. */
  readonly sources: readonly string[];
  /** Steps between checkpoints. */
  readonly checkpointEvery: number;
  readonly control: TrainingControl;
  readonly signal: AbortSignal;
  /** Puts a checkpoint on disk and returns its directory. */
  save(state: TrainingState, snapshot: EngineSnapshot): Promise<string>;
  /** Hears of every step. */
  report(step: StepReport): void;
}

/**
 * The training loop: wait for a batch, take a step, now and then write a checkpoint. The batch after is
 * prepared while the engine works. Every step's outcome depends on the weights, the batch and the step's
 * number alone, so a training that goes on from a checkpoint ends with the same weights to the bit.
 *
 * @returns the checkpoint of where it stands, at the last step or where it was aborted; undefined before the
 *   first step
 */
export async function train(training: Training): Promise<SavedCheckpoint | undefined> {
  const { engine, batches, schedule, control, signal } = training;
  let { state } = training;
  let saved = training.resumedFrom;

  const checkpoint = async (): Promise<SavedCheckpoint> => {
    if (saved === undefined || saved.state.step < state.step) {
      saved = { directory: await training.save(state, await engine.snapshot()), state };
    }
    return saved;
  };

  let upcoming = nextBatch(batches);
  while (state.step < schedule.totalSteps) {
    const began = performance.now();
    await untilMayStep(upcoming, control, checkpoint, signal);
    if (signal.aborted) break;
    const { batch: assembled, arrived } = await upcoming.promise;
    if (assembled === undefined) break;
    upcoming = nextBatch(batches);

    const started = performance.now();
    const step = state.step + 1;
    const learningRate = learningRateAt(step, schedule);
    const result = await engine.step(assembled.batch, learningRate);
    if (!Number.isFinite(result.loss) || !Number.isFinite(result.gradientNorm)) {
      throw new FuseMeshError(
        'failed_precondition',
        `The loss of step ${step} is ${result.loss}, its gradient's norm ${result.gradientNorm}: lower trainer.learningRate, then go on from the last checkpoint.`,
      );
    }

    state = advance(state, assembled, training.sources);
    const waitSeconds = Math.max(0, arrived - began) / 1000;
    const seconds = waitSeconds + (performance.now() - started) / 1000;
    training.report({
      step,
      documents: state.documents,
      tokens: state.tokens,
      stepTokens: assembled.count.positions,
      stepDocuments: assembled.chosenSources.length,
      chosen: assembled.chosenSources.map((source) => training.sources[source]),
      loss: result.loss,
      causalLoss: result.causalLoss,
      fusionLoss: result.fusionLoss,
      gradientNorm: result.gradientNorm,
      learningRate,
      alignedShare: assembled.count.aligned / Math.max(1, assembled.count.positions),
      doubtfulTokens: assembled.count.doubtful,
      mass: assembled.count.mass,
      taught: Object.fromEntries(training.sources.map((name, s) => [name, assembled.count.taught[s]])),
      seconds,
      waitSeconds,
      tokensPerSecond: assembled.count.positions / seconds,
    });
    if (step % training.checkpointEvery === 0) await checkpoint();
  }
  if (state.step > 0) await checkpoint();
  await control.serveRequests(checkpoint);
  return saved;
}

/** A batch on its way. */
interface UpcomingBatch {
  /** The batch, undefined after the last, and when it came (as performance.now()). */
  readonly promise: Promise<{ readonly batch: AssembledBatch | undefined; readonly arrived: number }>;
  /** Whether it has come or failed to. */
  settled: boolean;
}

function nextBatch(batches: AsyncIterator<AssembledBatch>): UpcomingBatch {
  const promise = batches.next().then(({ done, value }) => ({
    batch: done ? undefined : (value as AssembledBatch),
    arrived: performance.now(),
  }));
  // A failure while the engine works is met when the loop comes to this batch.
  promise.catch(() => {});
  return { promise, settled: false };
}

/** Sleeps until the batch has come and nobody wants a pause; meanwhile serves requests for a checkpoint. */
async function untilMayStep(
  upcoming: UpcomingBatch,
  control: TrainingControl,
  checkpoint: () => Promise<SavedCheckpoint>,
  signal: AbortSignal,
): Promise<void> {
  const settle = () => {
    upcoming.settled = true;
    control.change.announce();
  };
  upcoming.promise.then(settle, settle);
  while (!signal.aborted) {
    if (control.hasRequests) await control.serveRequests(checkpoint);
    else if (upcoming.settled && !control.paused) return;
    else await control.change.next();
  }
}

function advance(state: TrainingState, batch: AssembledBatch, sources: readonly string[]): TrainingState {
  const documentsChosen = { ...state.documentsChosen };
  for (const chosen of batch.chosenSources) {
    documentsChosen[sources[chosen]] = (documentsChosen[sources[chosen]] ?? 0) + 1;
  }
  return {
    ...state,
    step: state.step + 1,
    documents: state.documents + batch.chosenSources.length,
    tokens: state.tokens + batch.count.positions,
    documentsChosen,
  };
}
