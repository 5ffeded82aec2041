import { gauge, type Row, rate } from '../panel.ts';

export const fusion: Row = {
  title: 'Fusion',
  panels: [
    {
      title: 'Aligned share',
      description:
        'Share of the last step’s positions that learn from a fused distribution: the chosen source has a token boundary at the same place, and a candidate that the target’s vocabulary knows too.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [{ expression: gauge('fusemesh_trainer_aligned_share'), legend: 'aligned' }],
    },
    {
      title: 'Source chosen',
      description:
        'Share of the documents for which each source had the least cross-entropy (MinCE). “target” is the frozen copy of the target.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [
        {
          expression: `sum by (teacher) (${rate('fusemesh_trainer_source_chosen_total')}) / scalar(sum(${rate('fusemesh_trainer_source_chosen_total')}))`,
          legend: '{{teacher}}',
        },
      ],
    },
  ],
};
