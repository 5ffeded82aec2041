import type { StepResult } from '../engine/training-worker.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { noFigures } from '../wire/messages/figure-values.ts';
import type { TrainingState } from './checkpoint/training-state.ts';

type SkippedStep = TrainingState['skippedInRow'][number];

/** The result of a step all of whose documents are passed over: the engine is not asked. */
export const nothingToLearn: StepResult = {
  ...noFigures,
  finite: false,
  tokens: 0,
  bytesToDevice: 0,
  bytesFromDevice: 0,
  computeSeconds: 0,
  optimizerSeconds: 0,
};

/** The log's line on a step all of whose documents are passed over. */
export const emptyLine = (step: number, passedOver: readonly number[]): string =>
  `Step ${step} changed nothing: all of its documents are passed over (${numberRanges(passedOver)}).`;

/** The log's line on a step whose loss or gradient is NaN or infinite. */
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
 * Why the training ends.
 *
 * @param skipped steps in a row
 * @param directory of the checkpoint that was written after them
 */
export function endedBySkipping(skipped: readonly SkippedStep[], directory: string): FuseMeshError {
  const steps = numberRanges(skipped.map(({ step }) => step));
  const documents = numberRanges(skipped.flatMap((one) => one.documents));
  return new FuseMeshError(
    'failed_precondition',
    `The loss or gradient of steps ${steps} is NaN or infinite (documents ${documents}); they changed nothing. ` +
      'Lower trainer.learningRate or look at these documents, then run the same command: it resumes after ' +
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
