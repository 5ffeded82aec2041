import type { Row } from '../../panel.ts';
import { grpcRate, ofTeacher } from '../../query.ts';

const replica = '{{teacher}} {{instance}}';

export const teacherProcess: Row = {
  title: 'Processes',
  panels: [
    {
      title: 'gRPC calls',
      description:
        'Answered calls per second, by method. The trainer asks each teacher for its card and state; clients may ask for scores and texts, which take turns with the run.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: `sum by (teacher, method) (${ofTeacher(grpcRate('count'))})`,
          legend: '{{teacher}} {{method}}',
        },
      ],
    },
    {
      title: 'gRPC latency',
      description:
        '95th percentile of the time from a call to the end of its answer, by method; for a stream that is when the caller leaves. Slow calls of all methods: see event-loop lag.',
      unit: 's',
      min: 0,
      queries: [
        {
          expression: `histogram_quantile(0.95, sum by (le, teacher, method) (${ofTeacher(grpcRate('bucket'))}))`,
          legend: '{{teacher}} {{method}}',
        },
      ],
    },
    {
      title: 'gRPC errors',
      description:
        'Share of the calls that were not answered with OK. CANCELLED counts too: a caller has left. The teacher’s log tells of others.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [
        {
          expression: `1 - sum by (teacher) (${ofTeacher(grpcRate('count', 'code="OK"'))}) / sum by (teacher) (${ofTeacher(grpcRate('count'))})`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Memory',
      description:
        'Resident memory by replica: weights, one batch and Node. It stays level after the first batches; if it does not, lower batchDocuments and report it.',
      unit: 'bytes',
      min: 0,
      queries: [{ expression: ofTeacher('process_resident_memory_bytes'), legend: replica }],
    },
    {
      title: 'Processor',
      description:
        'Processor seconds per second: how many cores a replica uses. Below its threads while it has documents in hand: the machine has fewer cores than its processes ask for.',
      unit: 'none',
      min: 0,
      queries: [
        {
          expression: ofTeacher('rate(process_cpu_seconds_total[$__rate_interval])'),
          legend: replica,
        },
      ],
    },
    {
      title: 'Event-loop lag',
      description:
        'How late the main thread comes to its work, 99th percentile. Models compute in threads of their own, so it stays at some milliseconds; above 0.1 s the machine has too few cores, and health checks may fail.',
      unit: 's',
      min: 0,
      queries: [{ expression: ofTeacher('nodejs_eventloop_lag_p99_seconds'), legend: replica }],
    },
  ],
};
