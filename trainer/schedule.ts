import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { Schedule } from './loop.ts';
import { stepsBehind } from './passes.ts';

/**
 * How many steps the run takes in all.
 *
 * @param documents of the corpus
 * @param done steps and documents that a checkpoint covers, counted over all passes
 * @throws FuseMeshError invalid_argument when more are asked for than the corpus has documents for
 */
export function totalSteps(
  trainer: Pick<RunConfig['trainer'], 'steps' | 'epochs' | 'batchDocuments'>,
  documents: number,
  done: { readonly step: number; readonly documents: number },
): number {
  const { epochs, batchDocuments } = trainer;
  const most = done.step + stepsBehind({ documents, epochs, batchDocuments }, done.documents);
  const { steps = most } = trainer;
  if (steps > most) {
    throw new FuseMeshError(
      'invalid_argument',
      `trainer.steps is ${steps}, the corpus of ${documents} documents gives ${most} steps of trainer.batchDocuments ${batchDocuments} in trainer.epochs ${epochs}: lower steps or batchDocuments, raise epochs, or leave trainer.steps out.`,
    );
  }
  return steps;
}

/** The learning rate's schedule; trainer.warmupSteps, where it is given, wins over trainer.warmupRatio. */
export function scheduleOf(
  trainer: Pick<RunConfig['trainer'], 'schedule' | 'learningRate' | 'warmupRatio' | 'warmupSteps'>,
  totalSteps: number,
): Schedule {
  const { schedule: kind, learningRate: peak, warmupRatio } = trainer;
  const { warmupSteps = Math.ceil(totalSteps * warmupRatio) } = trainer;
  return { kind, peak, warmupSteps, totalSteps };
}
