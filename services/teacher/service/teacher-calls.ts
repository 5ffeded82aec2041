import { CallSlots } from '../../calls/call-slots.ts';

/** Texts of Score in hand, in the queue included: some seconds of work, some megabytes. */
export const mostScores = 64;
/** Texts of Generate that grow at a time; each holds keys and values of its context. */
export const mostGenerations = 16;

/** What bounds the calls of a teacher, whatever the protocol. */
export interface TeacherCalls {
  readonly scores: CallSlots;
  readonly generations: CallSlots;
}

export const teacherCalls = (): TeacherCalls => ({
  scores: new CallSlots(mostScores, 'teacher', 'texts to score'),
  generations: new CallSlots(mostGenerations, 'teacher', 'texts to generate'),
});

/** Calls wait in one lane, so that each run has its turn between two of them. */
export const callsLane = 'calls';
