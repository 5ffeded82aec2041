import { teacherTable } from '../../../../services/teacher/metric-table.ts';
import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import type { Row } from '../../panel.ts';
import { chosenTeachers, gauge, rate } from '../../query.ts';

export const alignment: Row = {
  title: 'Alignment',
  panels: [
    {
      title: 'Aligned positions',
      description:
        'Share of the last step’s positions that learn from a fused distribution: the source has a token boundary at the same place, and a candidate that the target’s vocabulary knows. The rest learn from the text alone. Low from the start: the vocabularies have little in common, try fusion.vocabulary: prefix.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [{ expression: gauge(trainerTable.alignedShare), legend: 'aligned' }],
    },
    {
      title: 'Mass of candidates',
      description:
        'What becomes of the sources’ probability mass: “exact” finds a token of the same text, “rule” one that a rule chose, “dropped” none. Much that is dropped: try fusion.vocabulary: prefix or minED.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      stacked: true,
      queries: [
        {
          expression: `sum by (to) (${rate(trainerTable.mass)}) / scalar(sum(${rate(trainerTable.mass)}))`,
          legend: '{{to}}',
        },
      ],
    },
    {
      title: 'Doubtful tokens',
      description:
        'Tokens per second that do not spell the text at their place, as a normalizer has changed it; nothing is learnt at their ends. 0 with most tokenizers. Many: feed texts that are normalized already.',
      unit: 'short',
      min: 0,
      queries: [
        { expression: `sum(${rate(trainerTable.doubtfulTokens)})`, legend: 'target' },
        {
          expression: `sum by (teacher) (${rate(teacherTable.doubtfulTokens, chosenTeachers)})`,
          legend: 'teacher {{teacher}}',
        },
      ],
    },
  ],
};
