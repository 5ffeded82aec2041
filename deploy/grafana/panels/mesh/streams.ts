import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import type { Row } from '../../panel.ts';
import { chosenTeachers, gauge, rate } from '../../query.ts';

const messages = (stream: string): string =>
  `sum(${gauge(trainerTable.streamMessages, `stream="${stream}"`)})`;
const limit = (stream: string): string => `sum(${gauge(trainerTable.streamLimit, `stream="${stream}"`)})`;

export const streams: Row = {
  title: 'Streams',
  panels: [
    {
      title: 'How full the streams are',
      description:
        'Messages that NATS holds against what each stream may: nats.maxDocuments, and nats.maxDistributions of each teacher. Full is no fault but back-pressure: the feeder or the teachers wait. Dead letters should be empty; full, it forgets its oldest.',
      as: 'bars',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [
        { expression: `${messages('documents')} / ${limit('documents')}`, legend: 'documents' },
        {
          expression: `${messages('distributions')} / (${limit('distributions')} * count(${gauge(trainerTable.attached)}))`,
          legend: 'distributions',
        },
        { expression: `${messages('dead-letters')} / ${limit('dead-letters')}`, legend: 'dead letters' },
      ],
    },
    {
      title: 'Messages in the streams',
      description:
        'Messages that NATS holds. What a checkpoint covers is removed, so the lines are saws. If they stay at their limit while the trainer waits, see “Who is waited for”.',
      unit: 'short',
      min: 0,
      queries: [{ expression: gauge(trainerTable.streamMessages), legend: '{{stream}}' }],
    },
    {
      title: 'Bytes in the streams',
      description:
        'Bytes that NATS holds on its disk. Near the disk’s end: lower nats.maxDocuments, nats.maxDistributions or topK, or take checkpoints more often.',
      unit: 'bytes',
      min: 0,
      queries: [{ expression: gauge(trainerTable.streamBytes), legend: '{{stream}}' }],
    },
    {
      title: 'Bytes received',
      description:
        'Bytes of distributions that come to the trainer per second, by teacher. Near what the network carries: lower topK.',
      unit: 'Bps',
      width: 6,
      min: 0,
      queries: [
        {
          expression: `sum by (teacher) (${rate(trainerTable.receivedBytes, chosenTeachers)})`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Lag',
      description:
        'Documents published that no replica of a teacher has scored yet. It climbs for one teacher alone: that one is too slow or stands still.',
      unit: 'short',
      width: 6,
      min: 0,
      queries: [{ expression: gauge(trainerTable.streamLag, chosenTeachers), legend: '{{teacher}}' }],
    },
    {
      title: 'Documents missing',
      description:
        'Documents that some other source has delivered and this one has not. The slowest teacher’s is never 0. One that stays high while that teacher is idle: the order was lost; the trainer asks for it again by itself.',
      unit: 'short',
      width: 6,
      min: 0,
      queries: [{ expression: gauge(trainerTable.missing, chosenTeachers), legend: '{{teacher}}' }],
    },
    {
      title: 'Who is waited for',
      description:
        'Share of the time that the next document waits for each source, alone or with others, or for the feeder. The highest line is the bottleneck: give that teacher replicas or threads.',
      unit: 'percentunit',
      width: 6,
      min: 0,
      queries: [
        {
          expression: `sum by (teacher) (${rate(trainerTable.joinWaitSeconds)})`,
          legend: '{{teacher}}',
        },
      ],
    },
  ],
};
