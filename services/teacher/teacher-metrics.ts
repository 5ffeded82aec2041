import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { makeMetrics } from '../../process/metrics/metric.ts';
import { teacherTable } from './teacher-table.ts';

/** The metrics of one teacher in one run. */
export interface RunMetrics {
  readonly tokensScored: Counter.Internal;
  readonly tokensPublished: Counter.Internal;
  readonly doubtfulTokens: Counter.Internal;
  readonly documentsScored: Counter.Internal;
  readonly documentsRefused: Counter.Internal;
  readonly publishedBytes: Counter.Internal;
  readonly publishWaitSeconds: Counter.Internal;
  readonly documentsInHand: Gauge.Internal<'run' | 'teacher'>;
  readonly batchSeconds: Histogram.Internal<'run' | 'teacher'>;
}

/** Registers the metrics of a teacher process; the function it gives binds them to a run. */
export function teacherMetrics(
  register: Registry,
): (labels: { readonly run: string; readonly teacher: string }) => RunMetrics {
  const { documentsInHand, batchSeconds, ...counters } = makeMetrics(teacherTable, register);
  return (labels) => {
    // A run in which nothing has happened yet shows 0 instead of no data.
    for (const counter of Object.values(counters)) counter.inc(labels, 0);
    documentsInHand.set(labels, 0);
    batchSeconds.zero(labels);
    return {
      tokensScored: counters.tokensScored.labels(labels),
      tokensPublished: counters.tokensPublished.labels(labels),
      doubtfulTokens: counters.doubtfulTokens.labels(labels),
      documentsScored: counters.documentsScored.labels(labels),
      documentsRefused: counters.documentsRefused.labels(labels),
      publishedBytes: counters.publishedBytes.labels(labels),
      publishWaitSeconds: counters.publishWaitSeconds.labels(labels),
      documentsInHand: documentsInHand.labels(labels),
      batchSeconds: batchSeconds.labels(labels),
    };
  };
}
