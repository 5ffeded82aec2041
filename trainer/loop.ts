import type { EngineSnapshot } from '../engine/engine-snapshot.ts';
import type { TrainingEngine } from '../engine/training-engine.ts';
import type { StepBatch } from '../fusion/batch/batches.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { Log } from '../process/log/log.ts';
import { BackgroundCheckpoints } from './checkpoint/background-checkpoints.ts';
import type { SavedCheckpoint } from './checkpoint/read-checkpoint.ts';
import {
  afterEmptyStep,
  afterEvaluation,
  afterSkippedStep,
  afterStep,
  type TrainingState,
} from './checkpoint/training-state.ts';
import { type StepReport, stepReport } from './report/step-report.ts';
import type { TimeSpent } from './report/time-spent.ts';
import type { TrainingControl } from './report/training-control.ts';
import { emptyLine, endedBySkipping, nothingToLearn, skippedLine } from './skipped-steps.ts';
import type { BackgroundWeights } from './weights/background-weights.ts';

/** All that the loop works with. */
export interface Training<Batch extends StepBatch> {
  /** Stands at `state.step` steps. */
  readonly engine: Pick<TrainingEngine, 'step' | 'snapshot'>;
  /** Gives the batches of the steps that are left, in order; fewer when it is aborted. */
  readonly batches: AsyncIterator<Batch>;
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
  /** Left out, nothing is evaluated and no checkpoint is the best. */
  readonly evaluation?: Evaluation | undefined;
  readonly log: Pick<Log, 'warn'>;
  /** Has the weights published for who serves the target; left out, nobody does. */
  readonly weights?: BackgroundWeights | undefined;
  /** Puts a checkpoint on disk and returns its directory. */
  save(state: TrainingState, snapshot: EngineSnapshot): Promise<string>;
  /** Adds up where the time goes. */
  readonly time: TimeSpent;
  /** Hears of every step. */
  report(step: StepReport, batch: Batch): void;
}

/** What decides the learning rate of a step. */
export interface Schedule {
  /** How it falls after the warm-up. */
  readonly kind: RunConfig['trainer']['schedule'];
  /** Highest learning rate. */
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** How well the target predicts texts that it is not trained on. */
export interface Evaluation {
  /** Steps between two; there is one after the last step too. */
  readonly every: number;
  /** Bits per byte by domain, with the weights that the engine has now. */
  evaluate(): Promise<Readonly<Record<string, number>>>;
  /** Hears of every evaluation. */
  report(step: number, bitsPerByte: Readonly<Record<string, number>>): void;
}

/** So many skipped steps in a row are no accident: the training ends. */
const mostSkippedInRow = 3;

/**
 * The training loop: wait for a batch, take a step, now and then evaluate and write a checkpoint. The next batch is
 * prepared while the engine works, and checkpoints are written while the training continues. What a step does depends
 * on the weights, the batch and the step's number alone, so a training that resumes from a checkpoint ends with the
 * same weights to the bit.
 *
 * @returns the checkpoint of where it stands, at the last step or where it was aborted; undefined before the
 *   first step
 * @throws FuseMeshError failed_precondition when loss or gradient are NaN or infinite several times in a row, and
 *   what batches, engine and disk fail with
 */
export async function train<Batch extends StepBatch>(
  training: Training<Batch>,
): Promise<SavedCheckpoint | undefined> {
  const { engine, save, control, time } = training;
  const checkpoints = new BackgroundCheckpoints(training.resumedFrom, {
    snapshot: () => engine.snapshot(),
    save,
    onFailure: () => control.notifier.notifyAll(),
    onWaited: (checkpoint) => time.add({ checkpoint }),
  });
  try {
    return await takeSteps(training, checkpoints);
  } finally {
    // A training that fails still leaves the checkpoint that was being written.
    await checkpoints.settled();
  }
}

async function takeSteps<Batch extends StepBatch>(
  training: Training<Batch>,
  checkpoints: BackgroundCheckpoints,
): Promise<SavedCheckpoint | undefined> {
  const { engine, batches, schedule, sources, evaluation, weights, time, control, signal, log } = training;
  let { state } = training;
  const checkpoint = () => checkpoints.finish(state);
  const publish = async () => weights?.begin(state.step);

  await publish();
  let upcoming = nextBatch(batches);
  while (state.step < schedule.totalSteps) {
    // Wait for the batch; the one after it is prepared while the engine works.
    const began = performance.now();
    await untilStepMayBegin(upcoming, { control, checkpoints, checkpoint, weights, publish, signal });
    if (signal.aborted) break;
    const { batch, arrived } = await upcoming.promise;
    if (batch === undefined) break;
    upcoming = nextBatch(batches);

    // Step: forward, backward, AdamW. A step whose loss or gradient is NaN or infinite changes no weight.
    const started = performance.now();
    const learningRate = learningRateAt(state.step + 1, schedule);
    const isEmpty = batch.documents.length === 0;
    const result = isEmpty ? nothingToLearn : await engine.step(batch.batch, learningRate);
    if (isEmpty) state = afterEmptyStep(state, batch);
    else if (result.finite) state = afterStep(state, batch, sources);
    else state = afterSkippedStep(state, batch);

    // Report it, and where its time went. The last part of a wait is the batch's own alignment and fusion.
    const waited = Math.max(0, arrived - began) / 1000;
    const worked = (performance.now() - started) / 1000;
    const align = Math.min(waited, batch.fusionSeconds);
    const { optimizerSeconds: optimizer } = result;
    time.add({ wait: waited - align, align, compute: worked - optimizer, optimizer });
    const circumstances = { sources, learningRate, seconds: waited + worked, time: time.take() };
    training.report(stepReport(state, batch, result, circumstances), batch);
    if (isEmpty) {
      const { passedOver } = batch;
      log.warn({ step: state.step, passedOver }, emptyLine(state.step, passedOver));
    } else if (!result.finite) {
      const skipped = state.skippedInRow.at(-1)!;
      log.warn({ step: skipped.step, documentNumbers: skipped.documents }, skippedLine(skipped, result));
      if (state.skippedInRow.length === mostSkippedInRow) {
        // A training that resumes from this checkpoint counts skipped steps from 0 again.
        const { directory } = await checkpoints.finish({ ...state, skippedInRow: [] });
        throw endedBySkipping(state.skippedInRow, directory);
      }
    }

    // Who serves the target gets the new weights first of all: documents that it writes may be waited for.
    await weights?.after(state.step);

    // Evaluate on the held-out texts, and write a checkpoint: at its turn, and where the target did best so far.
    const isLast = state.step === schedule.totalSteps;
    if (evaluation !== undefined && (isLast || state.step % evaluation.every === 0)) {
      const bitsPerByte = await time.during('evaluate', () => evaluation.evaluate());
      evaluation.report(state.step, bitsPerByte);
      state = afterEvaluation(state, bitsPerByte);
    }
    if (state.step % training.checkpointEvery === 0 || state.best?.step === state.step) {
      await checkpoints.begin(state);
    }
  }
  if (state.step > 0) await checkpoint();
  if (state.step === schedule.totalSteps) await weights?.finish(state.step);
  await control.serveRequests(checkpoint);
  return checkpoints.newest();
}

/** A batch that is being prepared. */
interface UpcomingBatch<Batch> {
  /** The batch, undefined after the last, and when it came (as performance.now()). */
  readonly promise: Promise<{ readonly batch: Batch | undefined; readonly arrived: number }>;
  /** Whether the promise is settled, well or not. */
  settled: boolean;
}

function nextBatch<Batch>(batches: AsyncIterator<Batch>): UpcomingBatch<Batch> {
  const promise = batches.next().then(({ done, value }) => ({
    batch: done ? undefined : (value as Batch),
    arrived: performance.now(),
  }));
  // A failure is thrown when the loop awaits this batch, not while the engine works on the one before.
  promise.catch(() => {});
  return { promise, settled: false };
}

/**
 * Sleeps until the batch has come and nobody wants a pause; meanwhile serves requests for a checkpoint, and has weights
 * published that could not be before.
 *
 * @throws what a checkpoint failed with: without it the streams may be full, and no batch would ever come
 */
async function untilStepMayBegin(
  upcoming: UpcomingBatch<StepBatch>,
  {
    control,
    checkpoints,
    checkpoint,
    weights,
    publish,
    signal,
  }: Pick<Training<StepBatch>, 'control' | 'weights' | 'signal'> & {
    readonly checkpoints: BackgroundCheckpoints;
    readonly checkpoint: () => Promise<SavedCheckpoint>;
    readonly publish: () => Promise<void>;
  },
): Promise<void> {
  const settle = () => {
    upcoming.settled = true;
    control.notifier.notifyAll();
  };
  upcoming.promise.then(settle, settle);
  while (!signal.aborted) {
    checkpoints.throwFailure();
    if (weights?.isDue) await publish();
    else if (control.hasRequests) await control.serveRequests(checkpoint);
    else if (upcoming.settled && !control.paused) return;
    else await control.notifier.next();
  }
}

/**
 * Linear warm-up to the peak, then half a cosine or a line towards 0, or no change. After the warm-up these
 * are Hugging Face's schedules of the same names. Those begin at 0, which wastes the first step; these begin at
 * peak / warm-up steps.
 *
 * @param step 1 for the first
 */
export function learningRateAt(step: number, { kind, peak, warmupSteps, totalSteps }: Schedule): number {
  if (step <= warmupSteps) return peak * (step / warmupSteps);
  const progress = (step - 1 - warmupSteps) / (totalSteps - warmupSteps);
  switch (kind) {
    case 'cosine':
      return peak * ((1 + Math.cos(Math.PI * progress)) / 2);
    case 'linear':
      return peak * (1 - progress);
    case 'constant':
      return peak;
  }
}
