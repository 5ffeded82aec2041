import type { MetricDefinition } from '../../process/metrics/metric.ts';
import { processTable } from '../../process/metrics/process-table.ts';
import { targetTable } from '../../services/target/metric-table.ts';
import { servedTable } from '../../services/teacher/backends/served/metric-table.ts';
import { teacherTable } from '../../services/teacher/metric-table.ts';
import { trainerTable } from '../../trainer/report/metric-table.ts';

const seriesOf = ({ kind, name }: MetricDefinition): readonly string[] =>
  kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];

/** Names of all series that our tables make, parts of histograms included. */
export const knownMetricNames: readonly string[] = [
  trainerTable,
  teacherTable,
  servedTable,
  targetTable,
  processTable,
]
  .flatMap((table): readonly MetricDefinition[] => Object.values(table))
  .flatMap(seriesOf);
