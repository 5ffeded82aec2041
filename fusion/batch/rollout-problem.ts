import type { FusionSettings } from '../fuse/fusion-settings.ts';
import type { UsableDocument } from './joined-document.ts';

/** What a step takes of the documents that the target wrote. */
export interface RolloutRules {
  /** The step that trains on them, 1 for the first. */
  readonly step: number;
  /** How many steps older than those of the step before this one the weights may be that wrote a document. */
  readonly staleness: number;
}

/**
 * Why a step must not train on what the target wrote: its weights were older than the run's bound, or nobody who may
 * judge it has said anything about it. It depends on the document and the step alone, so a training that resumes passes
 * the same documents over.
 *
 * @param rules undefined where nothing bounds the age of the weights
 * @returns undefined for one that may be trained on, and for a document of the corpus
 */
export function rolloutProblem(
  { rollout, distributions }: UsableDocument,
  rules: RolloutRules | undefined,
  { combine, weights }: Pick<FusionSettings, 'combine' | 'weights'>,
): string | undefined {
  if (rollout === undefined) return undefined;
  const { weightsStep, teacher } = rollout;
  const oldest = rules === undefined ? 0 : Math.max(0, rules.step - 1 - rules.staleness);
  if (weightsStep < BigInt(oldest)) {
    return `the weights of step ${weightsStep} wrote it, and step ${rules!.step} takes none older than ${oldest} (onPolicy.staleness ${rules!.staleness})`;
  }
  const judges = distributions.flatMap((distribution) => distribution?.teacher ?? []);
  if (teacher !== '') {
    return judges.includes(teacher)
      ? undefined
      : `teacher ${teacher}, who is to judge it alone, says nothing about it`;
  }
  return judges.some((name) => combine !== 'fixed' || (weights[name] ?? 0) > 0)
    ? undefined
    : 'no source that counts says anything about it';
}
