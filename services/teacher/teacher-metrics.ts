import { Counter, Histogram, type Registry } from 'prom-client';

/** The counters of one teacher in one run. */
export interface RunMetrics {
  readonly tokensScored: Counter.Internal;
  readonly doubtfulTokens: Counter.Internal;
  readonly documentsScored: Counter.Internal;
  readonly publishedBytes: Counter.Internal;
  readonly publishWaitSeconds: Counter.Internal;
  readonly batchSeconds: Histogram.Internal<'run' | 'teacher'>;
}

/** Registers the metrics of a teacher process; the function it gives binds them to a run. */
export function createTeacherMetrics(
  register: Registry,
): (labels: { readonly run: string; readonly teacher: string }) => RunMetrics {
  const shared = { registers: [register], labelNames: ['run', 'teacher'] as const };
  const tokensScored = new Counter({
    ...shared,
    name: 'fusemesh_teacher_tokens_scored_total',
    help: 'Tokens of the corpus that the teacher scored.',
  });
  const doubtfulTokens = new Counter({
    ...shared,
    name: 'fusemesh_teacher_doubtful_tokens_total',
    help: 'Tokens that do not spell the text at their place; nothing is learnt at their ends.',
  });
  const documentsScored = new Counter({
    ...shared,
    name: 'fusemesh_teacher_documents_scored_total',
    help: 'Documents of the corpus that the teacher scored and published.',
  });
  const publishedBytes = new Counter({
    ...shared,
    name: 'fusemesh_teacher_published_bytes_total',
    help: 'Bytes of distributions published.',
  });
  const publishWaitSeconds = new Counter({
    ...shared,
    name: 'fusemesh_teacher_publish_wait_seconds_total',
    help: 'Seconds spent waiting for room in the stream of distributions.',
  });
  const batchSeconds = new Histogram({
    ...shared,
    name: 'fusemesh_teacher_batch_seconds',
    help: 'Wall time to score one batch of documents.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  const counters = [tokensScored, doubtfulTokens, documentsScored, publishedBytes, publishWaitSeconds];
  return (labels) => {
    // A run in which nothing has happened yet shows 0 instead of no data.
    for (const counter of counters) counter.inc(labels, 0);
    return {
      tokensScored: tokensScored.labels(labels),
      doubtfulTokens: doubtfulTokens.labels(labels),
      documentsScored: documentsScored.labels(labels),
      publishedBytes: publishedBytes.labels(labels),
      publishWaitSeconds: publishWaitSeconds.labels(labels),
      batchSeconds: batchSeconds.labels(labels),
    };
  };
}
