import type { MetricDefinition } from '../../process/metrics/metric.ts';
import { trainerTable } from '../../trainer/report/metric-table.ts';

/** The Prometheus that the viewer chose. */
export const dataSource = { type: 'prometheus', uid: '$datasource' };

/** A list that the viewer chooses from: the values of a label. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  readonly metric: MetricDefinition;
  /** Matchers of the metric's labels. */
  readonly matchers: string;
  readonly several: boolean;
}

/** The variables that all dashboards have, so that links between them keep what was chosen. */
export const variables: readonly Variable[] = [
  { name: 'run', label: 'Run', metric: trainerTable.state, matchers: '', several: false },
  { name: 'teacher', label: 'Teacher', metric: trainerTable.attached, matchers: 'run="$run"', several: true },
];

/** The series whose values of the label `name` are offered. */
export const choices = ({ metric, matchers }: Variable): string => `${metric.name}{${matchers}}`;

/** Marks checkpoints: the value is when one was on disk, in milliseconds since 1970. */
export const checkpoints = `1000 * (${trainerTable.checkpointTime.name}{run="$run"} > 0)`;
