import { milliseconds } from '../../../process/config/duration.ts';
import type { RunConfig } from '../../../process/config/schema.ts';

/** When a document goes on without some of its sources. */
export interface JoinRule {
  /** Sources that must have delivered it, however long that takes. */
  readonly atLeast: number;
  /** How long the others are waited for, in milliseconds. */
  readonly within: number;
}

/** @param sources of the run, the target's frozen copy counted */
export const joinRuleOf = ({ join }: Pick<RunConfig['trainer'], 'join'>, sources: number): JoinRule =>
  join === 'all'
    ? { atLeast: sources, within: Number.POSITIVE_INFINITY }
    : { atLeast: join.atLeast, within: milliseconds(join.within) };
