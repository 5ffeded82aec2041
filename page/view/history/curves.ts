import type { GetHistoryResponse, HeldOut } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { byName } from '../../../wire/messages/by-name.ts';
import { historyColumns } from '../../../wire/messages/history-columns.ts';
import type { HistoryColumn } from '../../../wire/messages/step-figures.ts';

/** The history of a run, in columns of equal length; see GetHistoryResponse for what they are. */
export type Curves = Readonly<Record<HistoryColumn, readonly number[]>> & {
  /** The last step of each point. */
  readonly step: readonly number[];
  readonly sources: readonly SourceCurves[];
  /** In the order of their steps. */
  readonly heldOut: readonly HeldOutPoint[];
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

/** A history as the trainer tells it. */
export const curvesOf = (message: GetHistoryResponse): Curves => ({
  ...byName(historyColumns, (column) => message[column]),
  step: message.step.map(Number),
  sources: message.sources.map(({ teacher, tokensPerSecond, chosenShare }) => ({
    teacher,
    tokensPerSecond,
    chosenShare,
  })),
  heldOut: message.heldOut.map(heldOutPoint),
});

/**
 * What is known together with an answer to "what came after the last step". The answer's first point may stand for
 * steps that are known too, since the last point of a long run grows step by step, and since the trainer may tell
 * a thinned history from its beginning: it takes the place of what is known of them.
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
  };
}

/** A look at the held-out texts ends after its step: the answer that had the step may not have had the look. */
export const withHeldOut = (curves: Curves, heldOut: HeldOut | undefined): Curves =>
  heldOut === undefined || curves.heldOut.some(({ step }) => step === Number(heldOut.step))
    ? curves
    : { ...curves, heldOut: joinHeldOut(curves.heldOut, [heldOutPoint(heldOut)]) };

const heldOutPoint = ({ step, bitsPerByte }: HeldOut): HeldOutPoint => ({ step: Number(step), bitsPerByte });

function joinHeldOut(known: readonly HeldOutPoint[], next: readonly HeldOutPoint[]): HeldOutPoint[] {
  const byStep = new Map([...known, ...next].map((point) => [point.step, point]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/** A source that one of both does not know has no values there. */
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
