import type { ChoiceQuestion } from './questions.ts';

/** How often a model gives the right choice the greatest log-likelihood, in the terms of lm-evaluation-harness. */
export interface ChoiceAccuracy {
  readonly questions: number;
  /** Share of questions, 0 to 1, whose right choice has the greatest log-likelihood. */
  readonly acc: number;
  /** Standard error of acc; null for a single question. */
  readonly accStandardError: number | null;
  /** The same with each log-likelihood divided by the length of its choice. */
  readonly accNorm: number;
  readonly accNormStandardError: number | null;
}

/**
 * As in the harness, a choice's length is that in characters (Unicode code points) of the choice alone, without
 * the delimiter; of equal choices the first counts.
 *
 * @param logLikelihoods [questions][choices] sums of natural log-probabilities
 */
export function choiceAccuracy(
  questions: readonly Pick<ChoiceQuestion, 'choices' | 'answer'>[],
  logLikelihoods: readonly (readonly number[])[],
): ChoiceAccuracy {
  let right = 0;
  let rightByLength = 0;
  for (const [i, { choices, answer }] of questions.entries()) {
    const sums = logLikelihoods[i];
    if (indexOfGreatest(sums) === answer) right++;
    if (indexOfGreatest(sums.map((sum, j) => sum / [...choices[j]].length)) === answer) rightByLength++;
  }
  const n = questions.length;
  return {
    questions: n,
    acc: right / n,
    accStandardError: standardError(right / n, n),
    accNorm: rightByLength / n,
    accNormStandardError: standardError(rightByLength / n, n),
  };
}

const indexOfGreatest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** Of a share of n, by the sample's variance. */
const standardError = (share: number, n: number): number | null =>
  n > 1 ? Math.sqrt((share * (1 - share)) / (n - 1)) : null;
