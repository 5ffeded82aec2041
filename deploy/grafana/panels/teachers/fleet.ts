import { teacherTable } from '../../../../services/teacher/metric-table.ts';
import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import type { Row } from '../../panel.ts';
import { chosenTeachers, gauge, ofTeacher, quantile, rate } from '../../query.ts';

export const fleet: Row = {
  panels: [
    {
      title: 'Fleet',
      description:
        'Every teacher now, summed over its replicas. The one with the least documents/s and no publish wait sets the pace of all. A teacher without a row has not attached yet.',
      as: 'table',
      unit: 'short',
      width: 24,
      queries: [
        {
          expression: `max by (teacher) (${gauge(trainerTable.attached, chosenTeachers)})`,
          legend: 'Attached',
        },
        {
          expression: `count by (teacher) (${gauge(teacherTable.documentsInHand, chosenTeachers)})`,
          legend: 'Replicas',
        },
        {
          expression: `sum by (teacher) (${rate(teacherTable.tokensScored, chosenTeachers)})`,
          legend: 'Tokens/s',
        },
        {
          expression: `sum by (teacher) (${rate(teacherTable.documentsScored, chosenTeachers)})`,
          legend: 'Documents/s',
        },
        {
          expression: quantile(0.95, teacherTable.batchSeconds, chosenTeachers, ['teacher']),
          legend: 'Batch, 95 %',
          unit: 's',
        },
        {
          expression: `sum by (teacher) (${rate(teacherTable.publishedBytes, chosenTeachers)}) / sum by (teacher) (${rate(teacherTable.tokensPublished, chosenTeachers)})`,
          legend: 'Bytes per token',
          unit: 'bytes',
        },
        {
          expression: `avg by (teacher) (${rate(teacherTable.publishWaitSeconds, chosenTeachers)})`,
          legend: 'Publish wait',
          unit: 'percentunit',
        },
        {
          expression: `sum by (teacher) (${gauge(teacherTable.documentsInHand, chosenTeachers)})`,
          legend: 'In hand',
        },
        {
          expression: `max by (teacher) (${gauge(trainerTable.streamLag, chosenTeachers)})`,
          legend: 'Lag',
        },
        {
          expression: `sum by (teacher) (${ofTeacher('process_resident_memory_bytes')})`,
          legend: 'Memory',
          unit: 'bytes',
        },
      ],
    },
    {
      title: 'Attached',
      description:
        'Whether each teacher works for the run. The trainer attaches again by itself within seconds; a teacher that stays away is down or its address in the run file is wrong.',
      as: 'timeline',
      unit: 'none',
      width: 24,
      height: 6,
      words: [
        { value: 0, text: 'away', color: 'red' },
        { value: 1, text: 'attached', color: 'green' },
      ],
      queries: [
        {
          expression: `max by (teacher) (${gauge(trainerTable.attached, chosenTeachers)})`,
          legend: '{{teacher}}',
        },
      ],
    },
  ],
};
