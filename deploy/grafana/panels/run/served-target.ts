import { targetTable } from '../../../../services/target/metric-table.ts';
import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import type { Row } from '../../panel.ts';
import { gauge, quantile, rate } from '../../query.ts';

/** The services that the target writes by; without them the panels are empty. */
export const servedTarget: Row = {
  title: 'The target, served',
  panels: [
    {
      title: 'Tokens the service writes',
      description:
        'Tokens per second that all target services write, and tokens of the prompts that they read. It grows with the answers that are written at a time, as they share batches: give target.service more slots, or start another service.',
      unit: 'short',
      min: 0,
      queries: [
        { expression: `sum(${rate(targetTable.tokensGenerated)})`, legend: 'written' },
        { expression: `sum(${rate(targetTable.promptTokens)})`, legend: 'prompts' },
      ],
    },
    {
      title: 'Answers in hand',
      description:
        'Answers that are written now, and those that wait: for a slot, or for weights that are new enough. Many wait for a slot: more slots or another service. All wait for weights: the trainer sets the pace, or has stopped; more onPolicy.staleness lets them begin earlier.',
      unit: 'short',
      min: 0,
      stacked: true,
      queries: [
        { expression: `sum(${gauge(targetTable.answersInProgress)})`, legend: 'written' },
        {
          expression: `sum by (reason) (${gauge(targetTable.answersQueued)})`,
          legend: 'waiting: {{reason}}',
        },
      ],
    },
    {
      title: 'How answers end',
      description:
        'Answers per second: “stop” by the end of text or a stop sequence, “length” at their most tokens, “cancelled” by the caller, “failed” by a fault. Any that failed: the log of the service says why.',
      unit: 'short',
      min: 0,
      stacked: true,
      queries: [{ expression: `sum by (end) (${rate(targetTable.answers)})`, legend: '{{end}}' }],
    },
    {
      title: 'Steps behind the trainer',
      description:
        'Steps between the weights that a service answers by and those of the trainer. A saw with teeth of trainer.weightsEvery. If it climbs, the service does not take new weights: see its log and “Time to take new weights”.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: `scalar(max(${gauge(trainerTable.step)})) - ${gauge(targetTable.weightsStep)}`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Time to take new weights',
      description:
        'Median and 95th percentile of loading new weights, while answers go on with the old ones. Longer than trainer.weightsEvery steps take: the service is always behind; publish weights less often, or train adapters.',
      unit: 's',
      min: 0,
      queries: [
        { expression: quantile(0.5, targetTable.weightSwapSeconds), legend: 'median' },
        { expression: quantile(0.95, targetTable.weightSwapSeconds), legend: '95 %' },
      ],
    },
    {
      title: 'Time to the first token',
      description:
        'Median and 95th percentile from a call to its first token, the wait for a slot included, that for weights left out. Long with few answers in hand: long prompts, or a processor with too much to do.',
      unit: 's',
      min: 0,
      queries: [
        { expression: quantile(0.5, targetTable.firstTokenSeconds), legend: 'median' },
        { expression: quantile(0.95, targetTable.firstTokenSeconds), legend: '95 %' },
      ],
    },
  ],
};
