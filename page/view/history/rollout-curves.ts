import type { RolloutHistory } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { byName } from '../../../wire/messages/by-name.ts';

const columns = [
  'documents',
  'length',
  'endedByLengthShare',
  'staleness',
  'divergence',
  'repeatedShare',
  'tokensPerSecond',
] as const;

export type RolloutColumn = (typeof columns)[number];

/** What the target wrote itself, in columns beside the steps; see RolloutHistory for what they are. */
export type RolloutCurves = Readonly<Record<RolloutColumn, readonly number[]>>;

export const rolloutCurvesOf = (message: RolloutHistory): RolloutCurves =>
  byName(columns, (column) => message[column]);

/** The first points of the curves. */
export const firstOf = (curves: RolloutCurves, count: number): RolloutCurves =>
  byName(columns, (column) => curves[column].slice(0, count));

/** A part of a history: how many points it has, and what the target wrote in them. */
interface Part {
  readonly points: number;
  readonly rollouts: RolloutCurves | undefined;
}

/** Curves of two parts, one after the other. Of a part in which the target wrote nothing they are NaN. */
export function joinRollouts(known: Part, next: Part): RolloutCurves | undefined {
  if (known.rollouts === undefined && next.rollouts === undefined) return undefined;
  const valuesOf = ({ points, rollouts }: Part, column: RolloutColumn) =>
    rollouts?.[column] ?? Array.from({ length: points }, () => Number.NaN);
  return byName(columns, (column) => [...valuesOf(known, column), ...valuesOf(next, column)]);
}

/** Completions that were trained on, and their tokens, over all points. */
export function writtenIn({ documents, length }: RolloutCurves): { documents: number; tokens: number } {
  const sum = (values: readonly number[]) => values.filter(Number.isFinite).reduce((a, b) => a + b, 0);
  return {
    documents: sum(documents),
    tokens: Math.round(sum(documents.map((count, i) => count * length[i]))),
  };
}
