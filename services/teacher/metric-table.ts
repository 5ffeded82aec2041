import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { counter, gauge, histogram, makeMetrics } from '../../process/metrics/metric.ts';

const named = (name: string) => `fusemesh_teacher_${name}`;
const labels = ['run', 'teacher'] as const;

/** A teacher's metrics, by the run that it works for and its name there. */
export const teacherTable = {
  tokensScored: counter(
    named('tokens_scored_total'),
    'Tokens of the corpus that the teacher scored.',
    labels,
  ),
  tokensPublished: counter(
    named('tokens_published_total'),
    'Tokens whose distributions NATS has stored.',
    labels,
  ),
  doubtfulTokens: counter(
    named('doubtful_tokens_total'),
    'Tokens that do not spell the text at their place; nothing is learnt at their ends.',
    labels,
  ),
  documentsScored: counter(
    named('documents_scored_total'),
    'Documents of the corpus that the teacher scored and published.',
    labels,
  ),
  documentsRefused: counter(
    named('documents_refused_total'),
    'Documents that were malformed or that the teacher cannot score, and were put into the run’s stream of dead letters.',
    labels,
  ),
  publishedBytes: counter(named('published_bytes_total'), 'Bytes of distributions published.', labels),
  publishWaitSeconds: counter(
    named('publish_wait_seconds_total'),
    'Time spent waiting for room in the stream of distributions.',
    labels,
  ),
  documentsInHand: gauge(
    named('documents_in_hand'),
    'Documents taken from the stream and not yet published.',
    labels,
  ),
  batchSeconds: histogram(
    named('batch_seconds'),
    'Wall time to score one batch of documents.',
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    labels,
  ),
};

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
