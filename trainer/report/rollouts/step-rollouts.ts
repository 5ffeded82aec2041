import type { JudgedRollout } from '../../../fusion/batch/judged-rollout.ts';
import { type RolloutSums, stalenessOf, sumsOf } from './rollout-sums.ts';

/** How many of a run's completions are shown. */
const mostShown = 4;
/** Characters of each of its texts that are shown: status messages are asked for every second. */
const mostCharacters = 2_000;

/** What the target wrote and who judged it, as Completion in proto/fusemesh/v1/trainer.proto. */
export interface ShownCompletion {
  readonly document: number;
  readonly weightsStep: number;
  readonly prompt: string;
  readonly text: string;
  readonly unfinished: boolean;
  /** Name of the source; '' where none did. */
  readonly judge: string;
  /** Both in nats a token that was written. */
  readonly logProbability: number;
  readonly judgeLogProbability: number;
}

/** What a step trained on that the target wrote. */
export interface StepRollouts extends RolloutSums {
  readonly mostStaleness: number;
  /** Their lengths in tokens, and their ages in steps, one a document. */
  readonly lengths: readonly number[];
  readonly ages: readonly number[];
  /** A few of them, the last first. */
  readonly shown: readonly ShownCompletion[];
}

/**
 * @param step that trained on them
 * @param sources names, by the judges' indices
 * @returns undefined where there are none
 */
export function stepRollouts(
  rollouts: readonly JudgedRollout[],
  step: number,
  sources: readonly string[],
): StepRollouts | undefined {
  if (rollouts.length === 0) return undefined;
  const ages = rollouts.map((written) => stalenessOf(written, step));
  return {
    ...sumsOf(rollouts, step),
    mostStaleness: Math.max(...ages),
    lengths: rollouts.map(({ rollout }) => rollout.tokens),
    ages,
    shown: rollouts
      .slice(-mostShown)
      .reverse()
      .map((written) => shownCompletion(written, sources)),
  };
}

/** The newest completions, newest first. */
export const newestShown = (
  newer: readonly ShownCompletion[],
  older: readonly ShownCompletion[],
): readonly ShownCompletion[] => [...newer, ...older].slice(0, mostShown);

function shownCompletion(
  { number, rollout, prompt, text, unfinished, judge }: JudgedRollout,
  sources: readonly string[],
): ShownCompletion {
  return {
    document: number,
    weightsStep: Number(rollout.weightsStep),
    prompt: shortened(prompt),
    text: shortened(text),
    unfinished,
    judge: judge === undefined ? '' : sources[judge.source],
    logProbability: rollout.logProbability / rollout.tokens,
    judgeLogProbability: judge === undefined ? 0 : -judge.crossEntropy / rollout.tokens,
  };
}

/** The end is left out, and half a character with it. */
const shortened = (text: string): string =>
  text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters).replace(/[\ud800-\udbff]$/, '')} …`;
