import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import type { Row } from '../../panel.ts';
import { chosenTeachers, gauge, rate } from '../../query.ts';

export const teaching: Row = {
  title: 'Who teaches',
  panels: [
    {
      title: 'Source chosen',
      description:
        'Share of the documents for which each source was chosen to teach, by default the one that predicts the text best; “target” is the frozen copy of the target. A teacher that is never chosen costs time and teaches nothing: leave it out, or give it texts of its field.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      stacked: true,
      queries: [
        {
          expression: `sum by (teacher) (${rate(trainerTable.chosen, chosenTeachers)}) / scalar(sum(${rate(trainerTable.chosen)}))`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Taught tokens',
      description:
        'Positions per second that each source taught, shared where several did. Much less than a source is chosen for: its tokens seldom end where the target’s do; “fusemesh align” shows why.',
      unit: 'short',
      min: 0,
      stacked: true,
      queries: [
        {
          expression: `sum by (teacher) (${rate(trainerTable.taught, chosenTeachers)})`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Held-out loss',
      description:
        'Bits per byte of the held-out texts at the last look, by domain (trainer.evaluateEvery). It falls as long as the target learns. When it turns up for all domains, the training is past its best: the checkpoint that did best is kept.',
      unit: 'none',
      queries: [{ expression: gauge(trainerTable.heldOut), legend: '{{domain}}' }],
    },
  ],
};
