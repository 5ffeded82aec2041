import type { Row } from '../../panel.ts';
import { ofRun } from '../../query.ts';

const process = '{{job}} {{instance}}';

export const resources: Row = {
  title: 'Resources',
  panels: [
    {
      title: 'Memory',
      description:
        'Resident memory of each process. The trainer’s is what it said at its start (see its log), and stays level after the first steps and the first checkpoint. A steady climb is a leak: report it.',
      unit: 'bytes',
      min: 0,
      queries: [{ expression: ofRun('process_resident_memory_bytes'), legend: process }],
    },
    {
      title: 'Processor',
      description:
        'Processor seconds per second: how many cores a process uses. The sum on one machine at its number of cores: the processes there slow each other down.',
      unit: 'none',
      min: 0,
      queries: [{ expression: ofRun('rate(process_cpu_seconds_total[$__rate_interval])'), legend: process }],
    },
    {
      title: 'Event-loop lag',
      description:
        'How late the main thread of each process comes to its work, 99th percentile. Above 0.1 s the machine has too few cores; gRPC and health checks answer late.',
      unit: 's',
      min: 0,
      queries: [{ expression: ofRun('nodejs_eventloop_lag_p99_seconds'), legend: process }],
    },
  ],
};
