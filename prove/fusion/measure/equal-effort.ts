import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { Result } from './results-file.ts';

/** A result with the experiment that it counts for. */
export interface NamedResult {
  readonly experiment: string;
  /** Of the documents that it was trained on. */
  readonly share: number;
  /** Over those documents. */
  readonly passes: number;
  readonly result: Result;
}

/**
 * Refuses to compare what cannot be compared: with one seed, all that passed as often over the same share of the
 * documents must have taken the same number of steps and tokens, and skipped none.
 *
 * @throws FuseMeshError failed_precondition
 */
export function refuseUnequal(results: readonly NamedResult[]): void {
  const firsts = new Map<string, NamedResult>();
  for (const named of results) {
    const { experiment, share, passes, result } = named;
    const refuse = (problem: string) => {
      throw new FuseMeshError('failed_precondition', `"${experiment}" with seed ${result.seed} ${problem}`);
    };
    if (result.skippedSteps > 0) refuse(`skipped ${result.skippedSteps} steps: lower the learning rate.`);
    const of = `${result.seed} ${share} ${passes}`;
    const first = firsts.get(of) ?? named;
    firsts.set(of, first);
    const [steps, tokens] = [first.result.steps, first.result.tokens];
    if (result.steps !== steps || result.tokens !== tokens)
      refuse(
        `took ${result.steps} steps and ${result.tokens} tokens, "${first.experiment}" ${steps} and ${tokens}: they cannot be compared.`,
      );
  }
}
