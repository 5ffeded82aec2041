import { counter, gauge, histogram } from '../../process/metrics/metric.ts';

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
