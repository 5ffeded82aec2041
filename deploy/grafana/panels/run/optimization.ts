import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import { stepFigures } from '../../../../wire/messages/step-figures.ts';
import type { Row } from '../../panel.ts';
import { gauge, grown } from '../../query.ts';

export const optimization: Row = {
  title: 'Optimization',
  panels: [
    {
      title: stepFigures.gradientNorm.name,
      description:
        'Global norm of the gradient before clipping (trainer.clipNorm). Single peaks are clipped and harmless; a steady climb asks for a lower learning rate.',
      unit: 'none',
      min: 0,
      queries: [{ expression: gauge(trainerTable.gradientNorm), legend: 'norm' }],
    },
    {
      title: stepFigures.learningRate.name,
      description:
        'Linear warm-up, then trainer.schedule. A jump after a restart means that the run file was changed.',
      unit: 'sci',
      min: 0,
      queries: [{ expression: gauge(trainerTable.learningRate), legend: 'learning rate' }],
    },
    {
      title: 'Skipped steps',
      description:
        'Steps in the time shown that changed nothing, since their loss or gradient was NaN or infinite. Any but 0 is worth the log, which names their documents; three in a row end the run.',
      as: 'stat',
      unit: 'none',
      queries: [{ expression: `sum(${grown(trainerTable.skippedSteps)})`, legend: 'skipped' }],
    },
  ],
};
