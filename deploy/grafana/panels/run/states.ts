import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import { type StateName, stateNames } from '../../../../wire/messages/trainer-states.ts';
import type { Word } from '../../panel.ts';
import { gauge } from '../../query.ts';

const colors: Readonly<Record<StateName, string>> = {
  starting: 'yellow',
  training: 'green',
  paused: 'blue',
  finished: 'purple',
  failed: 'red',
};

/** The state of the trainer as one number: 1 for the first of stateNames, and so on. */
export const stateNumber = stateNames
  .map((name, index) => `${index + 1} * max(${gauge(trainerTable.state, `state="${name}"`)})`)
  .join(' + ');

export const stateWords: readonly Word[] = stateNames.map((name, index) => ({
  value: index + 1,
  text: name,
  color: colors[name],
}));
