import { TrainerState } from '../generated/fusemesh/v1/trainer_pb.ts';

const names = {
  [TrainerState.STARTING]: 'starting',
  [TrainerState.TRAINING]: 'training',
  [TrainerState.PAUSED]: 'paused',
  [TrainerState.FINISHED]: 'finished',
  [TrainerState.FAILED]: 'failed',
} as const satisfies Readonly<Record<Exclude<TrainerState, TrainerState.UNSPECIFIED>, string>>;

export type StateName = (typeof names)[keyof typeof names];

/** The names of a trainer's states, for people and as a metric's label; in the order of the protocol. */
export const stateNames: readonly StateName[] = Object.values(names);

/** Undefined for a state that this version does not know. */
export const stateName = (state: TrainerState): StateName | undefined =>
  (names as Readonly<Partial<Record<TrainerState, StateName>>>)[state];
