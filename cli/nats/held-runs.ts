import type { FoundTrainer } from '../../wire/discovery/trainer-listing.ts';
import type { RunOnNats } from '../../wire/nats/list-runs.ts';
import { tableLines } from '../view/table.ts';
import { byteSize, duration, whole } from '../view/words.ts';

/** A run that a NATS server holds, and its trainer if one answers. */
export interface HeldRun extends RunOnNats {
  readonly trainer: FoundTrainer | undefined;
}

/** The runs that a NATS server holds as a table, one line for each. */
export function heldRunsTable(runs: readonly HeldRun[], now: Date): string[] {
  const since = (date: Date) => duration((now.getTime() - date.getTime()) / 1000);
  return tableLines(
    [
      { head: 'RUN' },
      { head: 'DOCUMENTS', isNumber: true },
      { head: 'SIZE', isNumber: true },
      { head: 'DEAD LETTERS', isNumber: true },
      { head: 'AGE', isNumber: true },
      { head: 'LAST MESSAGE', isNumber: true },
      { head: 'TRAINER' },
      { head: 'DISTRIBUTIONS' },
    ],
    runs.map((run) => [
      run.run,
      documentsText(run),
      byteSize(run.bytes),
      whole(run.deadLetters),
      since(run.created),
      `${since(run.lastActivity)} ago`,
      trainerText(run.trainer),
      Object.entries(run.distributionsHeld)
        .map(([teacher, held]) => `${teacher} ${whole(held)}`)
        .join(', ') || '–',
    ]),
  );
}

const documentsText = ({ documentsPublished, documentsTotal }: RunOnNats): string =>
  `${whole(documentsPublished)} of ${documentsTotal === undefined ? '?' : whole(documentsTotal)}`;

/** What a trainer does; "–" where none answers. */
export function trainerText(trainer: FoundTrainer | undefined): string {
  if (trainer === undefined) return '–';
  const { state, step, stepsTotal } = trainer;
  return stepsTotal === 0 ? state : `${state}, step ${whole(step)} of ${whole(stepsTotal)}`;
}
