import { counter, gauge, histogram } from '../../process/metrics/metric.ts';

const named = (name: string) => `fusemesh_rollout_${name}`;

/** A rollout worker's metrics. */
export const rolloutTable = {
  documents: counter(named('documents_total'), 'Completions that were written and that NATS has stored.'),
  tokens: counter(named('tokens_total'), 'Tokens of these completions.'),
  unfinished: counter(named('unfinished_total'), 'Completions that ended by length.'),
  seconds: histogram(
    named('seconds'),
    'Wall time to write one completion, from its first token to its last.',
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
  ),
  waitSeconds: histogram(
    named('wait_seconds'),
    'Wall time from the call to the first token: for weights new enough, and for a free slot.',
    [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300],
  ),
  inHand: gauge(named('in_hand'), 'Prompts in hand.'),
  notBegun: gauge(named('not_begun'), 'Prompts in hand of which no token is written yet.'),
  givenBack: counter(
    named('given_back_total'),
    'Prompts that were given back: weights new enough had not come for a while, or the worker left.',
  ),
  failedCalls: counter(
    named('failed_calls_total'),
    'Calls to a target service that failed and were made again.',
    ['code'],
  ),
  targets: gauge(named('targets'), 'Target services that are known.'),
};
