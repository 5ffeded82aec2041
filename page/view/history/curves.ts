import type { GetHistoryResponse, HeldOut } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { byName } from '../../../wire/messages/by-name.ts';
import { historyColumns } from '../../../wire/messages/history-columns.ts';
import type { HistoryColumn } from '../../../wire/messages/step-figures.ts';
import { firstOf, joinRollouts, type RolloutCurves, rolloutCurvesOf } from './rollout-curves.ts';

/** The history of a run, in columns of equal length; see GetHistoryResponse for what they are. */
export type Curves = Readonly<Record<HistoryColumn, readonly number[]>> & {
  /** The last step of each point. */
  readonly step: readonly number[];
  readonly sources: readonly SourceCurves[];
  /** In the order of their steps. */
  readonly heldOut: readonly HeldOutPoint[];
  /** Undefined where the target wrote nothing itself. */
  readonly rollouts?: RolloutCurves | undefined;
};

export interface SourceCurves {
  readonly teacher: string;
  readonly tokensPerSecond: readonly number[];
  readonly chosenShare: readonly number[];
}

export interface HeldOutPoint {
  readonly step: number;
  /** By domain. */
  readonly bitsPerByte: Readonly<Record<string, number>>;
}

export const noCurves: Curves = {
  ...byName(historyColumns, () => []),
  step: [],
  sources: [],
  heldOut: [],
};

export const lastStepOf = ({ step }: Pick<Curves, 'step'>): number => step.at(-1) ?? 0;

/** The curves of the trainer's answer. */
export const curvesOf = (message: GetHistoryResponse): Curves => ({
  ...byName(historyColumns, (column) => message[column]),
  step: message.step.map(Number),
  sources: message.sources.map(({ teacher, tokensPerSecond, chosenShare }) => ({
    teacher,
    tokensPerSecond,
    chosenShare,
  })),
  heldOut: message.heldOut.map(heldOutPoint),
  rollouts: message.rollouts && rolloutCurvesOf(message.rollouts),
});

/**
 * Adds the trainer's answer about the steps after the last known one. Its points may overlap with known ones: the last
 * point of a long run grows step by step, and a thinned history is sent from its beginning. The answer's points
 * replace those.
 */
export function mergeCurves(known: Curves, answer: GetHistoryResponse): Curves {
  const next = curvesOf(answer);
  if (next.step.length === 0 && next.heldOut.length === 0) return known;
  const kept = next.step.length === 0 ? known : before(next.step[0] - next.steps[0] + 1, known);
  return {
    ...byName(historyColumns, (column) => [...kept[column], ...next[column]]),
    step: [...kept.step, ...next.step],
    sources: joinSources(kept, next),
    heldOut: joinHeldOut(known.heldOut, next.heldOut),
    rollouts: joinRollouts(
      { points: kept.step.length, rollouts: kept.rollouts },
      { points: next.step.length, rollouts: next.rollouts },
    ),
  };
}

/** The points that end before a step. */
function before(step: number, curves: Curves): Curves {
  const count = curves.step.findLastIndex((last) => last < step) + 1;
  return {
    ...byName(historyColumns, (column) => curves[column].slice(0, count)),
    step: curves.step.slice(0, count),
    sources: curves.sources.map(({ teacher, tokensPerSecond, chosenShare }) => ({
      teacher,
      tokensPerSecond: tokensPerSecond.slice(0, count),
      chosenShare: chosenShare.slice(0, count),
    })),
    heldOut: curves.heldOut,
    rollouts: curves.rollouts && firstOf(curves.rollouts, count),
  };
}

/** An evaluation ends after its step, so the answer that had the step may lack it: the status has it later. */
export const withHeldOut = (curves: Curves, heldOut: HeldOut | undefined): Curves =>
  heldOut === undefined || curves.heldOut.some(({ step }) => step === Number(heldOut.step))
    ? curves
    : { ...curves, heldOut: joinHeldOut(curves.heldOut, [heldOutPoint(heldOut)]) };

const heldOutPoint = ({ step, bitsPerByte }: HeldOut): HeldOutPoint => ({ step: Number(step), bitsPerByte });

function joinHeldOut(known: readonly HeldOutPoint[], next: readonly HeldOutPoint[]): HeldOutPoint[] {
  const byStep = new Map([...known, ...next].map((point) => [point.step, point]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/** Where one part does not know a source, its values are NaN. */
function joinSources(known: Curves, next: Curves): SourceCurves[] {
  const teachers = new Set([...known.sources, ...next.sources].map(({ teacher }) => teacher));
  const part = (curves: Curves, teacher: string, column: 'tokensPerSecond' | 'chosenShare') =>
    curves.sources.find((source) => source.teacher === teacher)?.[column] ??
    curves.step.map(() => Number.NaN);
  const whole = (teacher: string, column: 'tokensPerSecond' | 'chosenShare') => [
    ...part(known, teacher, column),
    ...part(next, teacher, column),
  ];
  return Array.from(teachers, (teacher) => ({
    teacher,
    tokensPerSecond: whole(teacher, 'tokensPerSecond'),
    chosenShare: whole(teacher, 'chosenShare'),
  }));
}
