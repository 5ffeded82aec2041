import { teacherTable } from '../../../../services/teacher/metric-table.ts';
import type { Row } from '../../panel.ts';
import { chosenTeachers, gauge, rate } from '../../query.ts';

export const pressure: Row = {
  title: 'Publishing',
  panels: [
    {
      title: 'Publish wait',
      description:
        'Share of its time that a teacher waits because its stream is full: back-pressure by the trainer. Near 1 the teacher is faster than needed and could share its machine.',
      unit: 'percentunit',
      min: 0,
      queries: [
        {
          expression: `avg by (teacher) (${rate(teacherTable.publishWaitSeconds, chosenTeachers)})`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Documents in hand',
      description:
        'Documents taken from the stream and not yet published, by replica. 0 without publish wait: the teacher has nothing to do, and the feeder or the trainer holds it up. Stuck above 0 without documents per second: see its log.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: gauge(teacherTable.documentsInHand, chosenTeachers),
          legend: '{{teacher}} {{instance}}',
        },
      ],
    },
    {
      title: 'Bytes per token',
      description:
        'Size of a token’s top-k distribution on the wire. It grows with topK and with the vocabulary; less of it loads NATS less.',
      unit: 'bytes',
      min: 0,
      queries: [
        {
          expression: `sum by (teacher) (${rate(teacherTable.publishedBytes, chosenTeachers)}) / sum by (teacher) (${rate(teacherTable.tokensPublished, chosenTeachers)})`,
          legend: '{{teacher}}',
        },
      ],
    },
  ],
};
