import type { StepResult } from '../engine/training-worker.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { noFigures } from '../wire/messages/figure-values.ts';
import type { TrainingState } from './checkpoint/training-state.ts';

type SkippedStep = TrainingState['skippedInRow'][number];

/** What comes of a step all of whose documents are passed over: the engine is not asked. */
export const nothingToLearn: StepResult = {
  ...noFigures,
  finite: false,
  tokens: 0,
  computeSeconds: 0,
  optimizerSeconds: 0,
};

/** Tells of such a step. */
export const emptyLine = (step: number, passedOver: readonly number[]): string =>
  `Step ${step} changed nothing: all of its documents are passed over (${numberRanges(passedOver)}).`;

/** Tells of one skipped step. */
export function skippedLine(
  { step, documents }: SkippedStep,
  { loss, gradientNorm }: Pick<StepResult, 'loss' | 'gradientNorm'>,
): string {
  return (
    `Step ${step} is skipped, it changed nothing: its loss is ${loss}, its gradient's norm ${gradientNorm} ` +
    `(documents ${numberRanges(documents)}).`
  );
}

/**
 * Tells why the training ends.
 *
 * @param skipped all in a row
 * @param directory of a checkpoint of where it ended
 */
export function endedBySkipping(skipped: readonly SkippedStep[], directory: string): FuseMeshError {
  const steps = numberRanges(skipped.map(({ step }) => step));
  const documents = numberRanges(skipped.flatMap((one) => one.documents));
  return new FuseMeshError(
    'failed_precondition',
    `The loss or gradient of steps ${steps} is no number (documents ${documents}); they changed nothing. ` +
      'Lower trainer.learningRate or look at these documents, then run the same command: it goes on after ' +
      `them from ${directory}, or from an earlier checkpoint if you remove that one.`,
  );
}

/** "3, 7–9" for 3, 7, 8, 9. */
function numberRanges(numbers: readonly number[]): string {
  const ranges: { readonly first: number; last: number }[] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range?.last === number - 1) range.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`)).join(', ');
}
