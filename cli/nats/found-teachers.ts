import type { FoundTeacher, TeacherWork } from '../../wire/discovery/teacher-listing.ts';
import { tableLines } from '../view/table.ts';
import { whole } from '../view/words.ts';

/** The teachers that answer on a NATS server as a table, one line for each process. */
export function foundTeachersTable(teachers: readonly FoundTeacher[]): string[] {
  return tableLines(
    [
      { head: 'TEACHER' },
      { head: 'MODEL' },
      { head: 'PARAMETERS', isNumber: true },
      { head: 'VOCABULARY', isNumber: true },
      { head: 'TOKENS/S', isNumber: true },
      { head: 'IN HAND', isNumber: true },
      { head: 'ADDRESS' },
      { head: 'RUNS' },
    ],
    teachers.map(({ teacher, family, parameters, vocabularySize, address, work }) => [
      teacher,
      family,
      parameters === 0 ? '–' : whole(parameters),
      whole(vocabularySize),
      whole(total(work, ({ tokensPerSecond }) => tokensPerSecond)),
      whole(total(work, ({ documentsInHand }) => documentsInHand)),
      address,
      work.map((one) => runText(one, teacher)).join(', ') || '–',
    ]),
  );
}

const total = (work: readonly TeacherWork[], of: (one: TeacherWork) => number): number =>
  work.reduce((sum, one) => sum + of(one), 0);

/** A run, the teacher's name in it where that differs, and whether its stream is full. */
function runText({ run, teacher, waitingForRoom }: TeacherWork, name: string): string {
  const as = teacher === name ? '' : ` as ${teacher}`;
  return `${run}${as}${waitingForRoom ? ' (waits for the trainer)' : ''}`;
}
