import { rolloutTable } from '../../../../services/rollout/metric-table.ts';
import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import type { Row } from '../../panel.ts';
import { gauge, grown, quantile, rate } from '../../query.ts';

const written = `sum(${rate(rolloutTable.documents)})`;
const shareOf = (part: string): string => `${part} / (${written} > 0)`;

/** A gauge of the last step that had some, once there was one. */
const ofLastStep = (metric: Parameters<typeof gauge>[0]): string =>
  `${gauge(metric)} and on (job, instance) (${trainerTable.rollouts.name}{run="$run"} > 0)`;

const { name: staleness } = trainerTable.rolloutStaleness;

/** What the target writes itself; empty in a run without onPolicy. */
export const rollouts: Row = {
  title: 'On-policy: what the target writes',
  panels: [
    {
      title: 'Rollout tokens per second',
      description:
        'Tokens that the workers had the target write, and those that the trainer was trained on. Over minutes they are the same. If the trainer waits for what is written: a worker or a target service more, or more slots; and see whether the workers wait for weights.',
      unit: 'short',
      min: 0,
      queries: [
        { expression: `sum(${rate(rolloutTable.tokens)})`, legend: 'written' },
        { expression: `sum(${rate(trainerTable.rolloutTokens)})`, legend: 'trained on' },
      ],
    },
    {
      title: 'Completion length',
      description:
        'Mean number of tokens of a completion. Where it climbs to onPolicy.maxNewTokens, the target no longer ends its texts: see “Ended by length” and “Repeats”. Where it falls to a few tokens, it has learnt to say nothing.',
      unit: 'short',
      min: 0,
      queries: [{ expression: shareOf(`sum(${rate(rolloutTable.tokens)})`), legend: 'tokens' }],
    },
    {
      title: 'Ended by length',
      description:
        'Share of the completions that were cut at onPolicy.maxNewTokens before the target had ended them; of those it learns no end. Above a half: raise maxNewTokens, or the target has gone astray: look at “Repeats” and at the completions on the trainer’s page.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [{ expression: shareOf(`sum(${rate(rolloutTable.unfinished)})`), legend: 'cut' }],
    },
    {
      title: 'KL to the judge',
      description:
        'How far the target is from who judges what it writes: log target − log judge in nats a token, the mean over the last step’s completions, each by the weights that wrote it. It should fall, and jumps as it is an estimate. If it climbs for minutes, lower trainer.learningRate or onPolicy.share, and go on from a checkpoint.',
      unit: 'none',
      queries: [{ expression: ofLastStep(trainerTable.rolloutDivergence), legend: 'nats a token' }],
    },
    {
      title: 'Repeats',
      description:
        'Share of the runs of four tokens that stood in the same completion before, in the last step. A text that goes round in circles has nearly 1. If it climbs together with “Completion length”, the training goes astray: lower trainer.learningRate, mix in more of the corpus.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [{ expression: ofLastStep(trainerTable.rolloutRepeated), legend: 'repeated' }],
    },
    {
      title: 'Staleness',
      description:
        'Steps between the weights that wrote a document and those that were trained on it: the mean, and the 95th percentile. Never above onPolicy.staleness, and always at it is normal: the workers write as early as they may.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: `sum(rate(${staleness}_sum{run="$run"}[$__rate_interval])) / (sum(rate(${staleness}_count{run="$run"}[$__rate_interval])) > 0)`,
          legend: 'mean',
        },
        { expression: quantile(0.95, trainerTable.rolloutStaleness), legend: '95 %' },
      ],
    },
    {
      title: 'Prompts in hand',
      description:
        'Prompts that the workers have in hand, and those of them of which no token is written yet: they wait for a slot of the target service, or for weights that are new enough. None in hand while the trainer waits: the feeder gives out nothing.',
      unit: 'short',
      min: 0,
      queries: [
        { expression: `sum(${gauge(rolloutTable.inHand)})`, legend: 'in hand' },
        { expression: `sum(${gauge(rolloutTable.notBegun)})`, legend: 'not begun' },
      ],
    },
    {
      title: 'Wait before a completion begins',
      description:
        'Median and 95th percentile of the wait for weights that are new enough, and for a slot. With onPolicy.staleness 0 it is as long as a step; more staleness lets the target write while the trainer trains.',
      unit: 's',
      min: 0,
      queries: [
        { expression: quantile(0.5, rolloutTable.waitSeconds), legend: 'median' },
        { expression: quantile(0.95, rolloutTable.waitSeconds), legend: '95 %' },
      ],
    },
    {
      title: 'Given back, failed, dropped',
      description:
        'Over the time that is shown. Prompts that a worker gave back, as it left or weights did not come: another one takes them. Calls to a target service that failed are made again; many: see the log of the service. Dropped: completions that no step may train on, as their weights were too old or nobody judges them; the trainer’s log says which.',
      as: 'stat',
      unit: 'none',
      queries: [
        { expression: `sum(${grown(rolloutTable.givenBack)})`, legend: 'given back' },
        { expression: `sum(${grown(rolloutTable.failedCalls)}) or vector(0)`, legend: 'failed calls' },
        { expression: `sum(${grown(trainerTable.rolloutsDropped)})`, legend: 'dropped' },
      ],
    },
  ],
};
