import { quantile, type Row, rate } from '../panel.ts';

export const steps: Row = {
  title: 'Training steps',
  panels: [
    {
      title: 'Step time',
      description: 'Median and 95th percentile of the seconds of one optimizer step, waiting not included.',
      unit: 's',
      min: 0,
      queries: [
        { expression: quantile(0.5, 'fusemesh_trainer_step_seconds'), legend: 'median' },
        { expression: quantile(0.95, 'fusemesh_trainer_step_seconds'), legend: '95 %' },
      ],
    },
    {
      title: 'Wait share',
      description:
        'Share of its time that the trainer waits for distributions. Near 0 the trainer is the bottleneck, near 1 the teachers are.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [{ expression: `sum(${rate('fusemesh_trainer_wait_seconds_total')})`, legend: 'waiting' }],
    },
    {
      title: 'Steps per minute',
      description: 'Optimizer steps done.',
      unit: 'short',
      min: 0,
      queries: [{ expression: `60 * sum(${rate('fusemesh_trainer_steps_total')})`, legend: 'steps' }],
    },
  ],
};
