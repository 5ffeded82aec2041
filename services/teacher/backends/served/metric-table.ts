import type { Registry } from 'prom-client';
import { counter, gauge, histogram, type Metrics, makeMetrics } from '../../../../process/metrics/metric.ts';

const named = (name: string) => `fusemesh_teacher_served_${name}`;

/** Metrics of a teacher whose model a server computes, whatever the run. */
export const servedTable = {
  requestsInFlight: gauge(named('requests_in_flight'), 'Requests for scores that a server has in hand.', [
    'teacher',
    'url',
  ]),
  requestSeconds: histogram(
    named('request_seconds'),
    'Time from sending a text to having its checked scores.',
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    ['teacher'],
  ),
  retries: counter(
    named('retries_total'),
    'Requests that are sent again, by reason: unreachable, timeout, busy, server_error, nan, wrong_answer.',
    ['teacher', 'reason'],
  ),
  refusals: counter(named('refusals_total'), 'Texts that the server cannot score, or never scores rightly.', [
    'teacher',
  ]),
  probeDifference: gauge(
    named('probe_difference_nats'),
    'How far the server’s rows of a prompt and its generated rows were apart at the last probe, in the mean.',
    ['teacher', 'url'],
  ),
  serverUp: gauge(named('server_up'), 'Whether the server answers and its model has passed the probe.', [
    'teacher',
    'url',
  ]),
};

export type ServedMetrics = Metrics<typeof servedTable>;

export const servedMetrics = (register: Registry): ServedMetrics => makeMetrics(servedTable, register);
