import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import type { Row } from '../../panel.ts';
import { gauge, quantile, rate } from '../../query.ts';

export const checkpointing: Row = {
  title: 'Checkpoints',
  panels: [
    {
      title: 'Age of the newest checkpoint',
      description:
        'What would be lost if the trainer were killed now. A saw: it falls to 0 at each checkpoint. If it only climbs while the training goes on, the disk is full or slow: see the trainer’s log.',
      unit: 's',
      min: 0,
      queries: [{ expression: `time() - (${gauge(trainerTable.checkpointTime)} > 0)`, legend: 'age' }],
    },
    {
      title: 'Time to write a checkpoint',
      description:
        'Median and 95th percentile; it is written beside the training. As long as trainer.checkpointEvery steps take, the training waits for the disk: take fewer checkpoints.',
      unit: 's',
      min: 0,
      queries: [
        { expression: quantile(0.5, trainerTable.checkpointWriteSeconds), legend: 'median' },
        { expression: quantile(0.95, trainerTable.checkpointWriteSeconds), legend: '95 %' },
      ],
    },
    {
      title: 'Training held up by checkpoints',
      description:
        'Share of wall time that the training waits for the copy of its weights and for a checkpoint before that is not on disk yet. Above a few percent: take fewer checkpoints, or a faster disk.',
      unit: 'percentunit',
      min: 0,
      queries: [
        { expression: `sum(${rate(trainerTable.phaseSeconds, 'phase="checkpoint"')})`, legend: 'held up' },
      ],
    },
  ],
};
