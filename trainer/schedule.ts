import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { Schedule } from './loop.ts';

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

/** The learning rate's schedule; trainer.warmupSteps, where it is given, wins over trainer.warmupRatio. */
export function scheduleOf(
  trainer: Pick<RunConfig['trainer'], 'schedule' | 'learningRate' | 'warmupRatio' | 'warmupSteps'>,
  totalSteps: number,
): Schedule {
  const { schedule: kind, learningRate: peak, warmupRatio } = trainer;
  const { warmupSteps = Math.ceil(totalSteps * warmupRatio) } = trainer;
  return { kind, peak, warmupSteps, totalSteps };
}
