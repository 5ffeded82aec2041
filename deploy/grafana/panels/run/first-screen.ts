import { teacherTable } from '../../../../services/teacher/metric-table.ts';
import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import { stepFigures } from '../../../../wire/messages/step-figures.ts';
import type { Row } from '../../panel.ts';
import { chosenTeachers, gauge, rate } from '../../query.ts';
import { stateNumber, stateWords } from './states.ts';

const step = `sum(${gauge(trainerTable.step)})`;
const planned = `sum(${gauge(trainerTable.plannedSteps)})`;
// Over two minutes, so that one slow step does not make the time left jump.
const stepsPerSecond = `sum(rate(${trainerTable.steps.name}{run="$run"}[2m]))`;

/** What one looks at first: no heading above it, and all of it fits on a screen. */
export const firstScreen: Row = {
  panels: [
    {
      title: 'Tokens per second',
      description:
        'Tokens that the trainer trains on, and tokens that each teacher scores, summed over its replicas. Over minutes all must run at the pace of the slowest: give that one replicas or threads. If all drop at once, look at “Where time goes”.',
      unit: 'short',
      min: 0,
      width: 12,
      height: 10,
      queries: [
        { expression: `sum(${rate(trainerTable.tokens)})`, legend: 'trainer' },
        {
          expression: `sum by (teacher) (${rate(teacherTable.tokensScored, chosenTeachers)})`,
          legend: 'teacher {{teacher}}',
        },
      ],
    },
    {
      title: stepFigures.loss.name,
      description:
        'Of the last step, in nats a token: total = λ · causal + (1 − λ) · fusion. It should fall, fast at first. If it climbs for minutes, lower trainer.learningRate and go on from a checkpoint; if only fusion climbs, look at “Alignment”.',
      unit: 'none',
      width: 12,
      height: 10,
      queries: [{ expression: gauge(trainerTable.loss), legend: '{{kind}}' }],
    },
    {
      title: 'State',
      description:
        'What the trainer does now. “starting” for more than a few minutes: it waits for teachers or the feeder, its log names them. Nothing shown: the trainer does not run, or Prometheus does not reach it.',
      as: 'stat',
      unit: 'none',
      width: 6,
      height: 4,
      words: stateWords,
      queries: [{ expression: stateNumber, legend: 'state' }],
    },
    {
      title: 'Step of planned',
      description:
        'The last step done, over restarts, and all that the run will have. Planned is 0 until the feeder has counted the corpus.',
      as: 'stat',
      unit: 'none',
      width: 6,
      height: 4,
      queries: [
        { expression: step, legend: 'step' },
        { expression: planned, legend: 'planned' },
      ],
    },
    {
      title: 'Tokens per second now',
      description:
        'Tokens that the trainer trains on. 0 while it is paused, evaluates, or waits for teachers.',
      as: 'stat',
      unit: 'short',
      width: 6,
      height: 4,
      queries: [{ expression: `sum(${rate(trainerTable.tokens)})`, legend: 'tokens/s' }],
    },
    {
      title: 'Time left',
      description:
        'At the pace of the last two minutes. Without a value there was no step in them: paused, waiting, or done.',
      as: 'stat',
      unit: 's',
      width: 6,
      height: 4,
      queries: [{ expression: `(${planned} - ${step}) / (${stepsPerSecond} > 0)`, legend: 'left' }],
    },
  ],
};
