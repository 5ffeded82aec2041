import { teacherTable } from '../../../../services/teacher/metric-table.ts';
import type { Row } from '../../panel.ts';
import { chosenTeachers, quantile, rate } from '../../query.ts';

export const scoring: Row = {
  title: 'Scoring',
  panels: [
    {
      title: 'Tokens per second',
      description:
        'Tokens of the corpus that each teacher scores, summed over its replicas. Tokens are the teacher’s own: compare teachers by documents.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: `sum by (teacher) (${rate(teacherTable.tokensScored, chosenTeachers)})`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Documents per second',
      description:
        'Documents scored and published. All teachers score the same documents, so over minutes all lines run together at the pace of the slowest.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: `sum by (teacher) (${rate(teacherTable.documentsScored, chosenTeachers)})`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Scoring time of a batch',
      description:
        'Median and 95th percentile of the seconds that a teacher needs for one batch of documents (batchDocuments). If it climbs with the load of the machine, teachers fight for cores: lower threads or spread them over machines.',
      unit: 's',
      min: 0,
      queries: [
        {
          expression: quantile(0.5, teacherTable.batchSeconds, chosenTeachers, ['teacher']),
          legend: '{{teacher}}, median',
        },
        {
          expression: quantile(0.95, teacherTable.batchSeconds, chosenTeachers, ['teacher']),
          legend: '{{teacher}}, 95 %',
        },
      ],
    },
  ],
};
