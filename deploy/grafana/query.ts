import type { MetricDefinition } from '../../process/metrics/metric.ts';
import { processTable } from '../../process/metrics/process-table.ts';
import { teacherTable } from '../../services/teacher/metric-table.ts';
import { trainerTable } from '../../trainer/report/metric-table.ts';

type Counter = MetricDefinition<'counter'>;
type Gauge = MetricDefinition<'gauge'>;
type Histogram = MetricDefinition<'histogram'>;

/** Matcher of the teachers that the viewer chose. */
export const chosenTeachers = 'teacher=~"$teacher"';

const selected = (labels: string): string => (labels === '' ? 'run="$run"' : `run="$run", ${labels}`);

/** Per-second rate of a counter of the chosen run. */
export const rate = ({ name }: Counter, labels = ''): string =>
  `rate(${name}{${selected(labels)}}[$__rate_interval])`;

/** Present value of a gauge of the chosen run. */
export const gauge = ({ name }: Gauge, labels = ''): string => `${name}{${selected(labels)}}`;

/** Growth of a counter of the chosen run over all the time that is shown. */
export const grown = ({ name }: Counter, labels = ''): string =>
  `increase(${name}{${selected(labels)}}[$__range])`;

/** A quantile of a histogram of the chosen run, over the window for rates. */
export const quantile = (q: number, { name }: Histogram, labels = '', by: readonly string[] = []): string =>
  `histogram_quantile(${q}, sum by (${['le', ...by].join(', ')}) (rate(${name}_bucket{${selected(labels)}}[$__rate_interval])))`;

/** A series that every trainer and teacher of the chosen run has: it tells whose processes they are. */
const worksForRun = `{__name__=~"${trainerTable.step.name}|${teacherTable.documentsInHand.name}", run="$run"}`;

/** Those series of an expression that come from processes of the chosen run. */
export const ofRun = (expression: string): string => `${expression} and on (job, instance) ${worksForRun}`;

/** The same for processes that are down now and worked for the run in the time that is shown. */
export const everOfRun = (expression: string): string =>
  `${expression} and on (job, instance) last_over_time(${worksForRun}[$__range])`;

/** Metrics of processes, with the label `teacher` of the chosen teachers that they serve. */
export const ofTeacher = (expression: string): string =>
  `${expression} * on (job, instance) group_left (teacher) (max by (job, instance, teacher) (${gauge(teacherTable.documentsInHand, chosenTeachers)}) >= bool 0)`;

/** Rates of gRPC calls or of parts of their histogram. */
export const grpcRate = (part: 'bucket' | 'count', labels = ''): string =>
  `rate(${processTable.grpcSeconds.name}_${part}{${labels}}[$__rate_interval])`;
