import { Counter, Gauge, type Registry } from 'prom-client';
import { counter, gauge, histogram, type Metrics, makeMetrics } from '../../process/metrics/metric.ts';

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

type TeacherMetrics = Metrics<typeof teacherTable>;

/** The metrics of one teacher in one run. */
export type RunMetrics = {
  readonly [Name in keyof TeacherMetrics]: ReturnType<TeacherMetrics[Name]['labels']>;
};

/** Registers the metrics of a teacher process; the function it gives binds them to a run. */
export function teacherMetrics(
  register: Registry,
): (labels: { readonly run: string; readonly teacher: string }) => RunMetrics {
  const metrics = Object.entries(makeMetrics(teacherTable, register));
  return (labels) => {
    const bound = metrics.map(([name, metric]) => {
      // A run in which nothing has happened yet shows 0 instead of no data.
      if (metric instanceof Counter) metric.inc(labels, 0);
      else if (metric instanceof Gauge) metric.set(labels, 0);
      else metric.zero(labels);
      return [name, metric.labels(labels)];
    });
    return Object.fromEntries(bound) as RunMetrics;
  };
}
