import { processTable } from '../../../../process/metrics/process-table.ts';
import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import type { Row } from '../../panel.ts';
import { grown, ofRun, rate } from '../../query.ts';

export const reliability: Row = {
  title: 'Reliability',
  panels: [
    {
      title: 'Dead letters',
      description:
        'Messages in the time shown that could not be used and were put aside, by the source that sent them. Any but 0 is a fault of that teacher or of a stranger on its subject: the trainer’s log says what is wrong with them.',
      as: 'stat',
      unit: 'none',
      width: 6,
      queries: [{ expression: `sum(${grown(trainerTable.deadLetters)})`, legend: 'dead letters' }],
    },
    {
      title: 'Connected to NATS',
      description:
        'Whether each process has its connection. It comes back by itself; if all are away at once, nats-server is down.',
      as: 'timeline',
      unit: 'none',
      width: 12,
      words: [
        { value: 0, text: 'away', color: 'red' },
        { value: 1, text: 'connected', color: 'green' },
      ],
      queries: [{ expression: ofRun(processTable.natsConnected.name), legend: '{{job}} {{instance}}' }],
    },
    {
      title: 'Reconnects to NATS',
      description:
        'Times in the time shown that a lost connection came back, all processes together. More than a few: the network or nats-server is not well; nothing is lost by it.',
      as: 'stat',
      unit: 'none',
      width: 6,
      queries: [
        {
          expression: `sum(${ofRun(`increase(${processTable.natsReconnects.name}[$__range])`)})`,
          legend: 'reconnects',
        },
      ],
    },
    {
      title: 'Documents joined',
      description:
        'Documents per second of which the text and every source’s distributions had come. 0 while teachers score: see “Documents missing” for who has not delivered.',
      unit: 'short',
      min: 0,
      queries: [{ expression: `sum(${rate(trainerTable.joined)})`, legend: 'joined' }],
    },
    {
      title: 'gRPC calls',
      description:
        'Answered calls per second of all processes of the run, by code. Anything but OK and CANCELLED: the log of the process that answered tells more.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: `sum by (code) (${ofRun(`rate(${processTable.grpcSeconds.name}_count[$__rate_interval])`)})`,
          legend: '{{code}}',
        },
      ],
    },
  ],
};
