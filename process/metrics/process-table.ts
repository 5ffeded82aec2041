import { counter, gauge, histogram } from './metric.ts';

/** Metrics that every process has, beside those of Node (`process_…`, `nodejs_…`). */
export const processTable = {
  buildInfo: gauge('fusemesh_build_info', '1; its labels say what runs.', ['version', 'node_version']),
  grpcSeconds: histogram(
    'fusemesh_grpc_server_handling_seconds',
    'Time from a gRPC call to the end of its answer; a stream’s answer ends when the caller leaves it.',
    [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    ['service', 'method', 'code'],
  ),
  natsConnected: gauge(
    'fusemesh_nats_connected',
    '1 while the connection to NATS stands, else 0; absent before the first.',
  ),
  natsReconnects: counter(
    'fusemesh_nats_reconnects_total',
    'Times that a lost connection to NATS came back.',
  ),
  natsUnanswered: counter(
    'fusemesh_nats_unanswered_total',
    'Times that NATS did not answer what was published within 5 s, so that it was sent again: its disk is full, or it hangs.',
  ),
};
