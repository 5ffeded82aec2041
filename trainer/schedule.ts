import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { RunConfig } from '../process/config/schema.ts';

/** What decides the learning rate of a step. */
export interface Schedule {
  /** How it falls after the warm-up. */
  readonly kind: RunConfig['trainer']['schedule'];
  /** Highest learning rate. */
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/**
 * How many steps the run takes in all.
 *
 * @param documents of the corpus
 * @param done steps and documents that a checkpoint covers
 * @throws FuseMeshError invalid_argument when more are asked for than the corpus has documents for
 */
export function totalSteps(
  trainer: Pick<RunConfig['trainer'], 'steps' | 'batchDocuments'>,
  documents: number,
  done: { readonly step: number; readonly documents: number },
): number {
  const onePass = done.step + Math.ceil((documents - done.documents) / trainer.batchDocuments);
  const { steps = onePass } = trainer;
  if (steps > onePass) {
    throw new FuseMeshError(
      'invalid_argument',
      `trainer.steps is ${steps}, the corpus of ${documents} documents gives ${onePass} steps of trainer.batchDocuments ${trainer.batchDocuments}: lower one of them or leave trainer.steps out.`,
    );
  }
  return steps;
}

/** The schedule that a run asks for; a number of warm-up steps wins over their share of all steps. */
export function scheduleOf(
  trainer: Pick<RunConfig['trainer'], 'schedule' | 'learningRate' | 'warmupRatio' | 'warmupSteps'>,
  totalSteps: number,
): Schedule {
  const { schedule: kind, learningRate: peak, warmupRatio } = trainer;
  const { warmupSteps = Math.ceil(totalSteps * warmupRatio) } = trainer;
  return { kind, peak, warmupSteps, totalSteps };
}

/**
 * Linear warm-up to the peak, then half a cosine or a line towards 0, or no change. After the warm-up these
 * are Hugging Face's schedules of the same names. Those begin at 0 and so spend a step on nothing; these begin
 * at peak / warm-up steps.
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
