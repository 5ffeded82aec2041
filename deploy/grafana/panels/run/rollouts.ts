import { rolloutTable } from '../../../../services/rollout/metric-table.ts';
import type { Row } from '../../panel.ts';
import { gauge, grown, quantile, rate } from '../../query.ts';

const written = `sum(${rate(rolloutTable.documents)})`;
const shareOf = (part: string): string => `${part} / (${written} > 0)`;

/** What the target writes itself; empty in a run without onPolicy. */
export const rollouts: Row = {
  title: 'On-policy: what the target writes',
  panels: [
    {
      title: 'Rollout tokens per second',
      description:
        'Tokens of completions that the workers had the target write and handed to the feeder. Over minutes it must keep up with the trainer. Too little: a worker or a target service more, or more slots; and see whether the workers wait for weights.',
      unit: 'short',
      min: 0,
      queries: [{ expression: `sum(${rate(rolloutTable.tokens)})`, legend: 'written' }],
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
      title: 'Prompts in hand',
      description:
        'Prompts that the workers have in hand, and those of them of which no token is written yet: they wait for a slot of the target service, or for weights that are new enough. None in hand while the trainer waits: the feeder gives out nothing.',
      unit: 'short',
      min: 0,
      queries: [
        { expression: `sum(${gauge(rolloutTable.inHand)})`, legend: 'in hand' },
        { expression: `sum(${gauge(rolloutTable.waiting)})`, legend: 'waiting' },
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
      title: 'Prompts given back, calls that failed',
      description:
        'Over the time that is shown. Prompts that a worker gave back, as it left or weights did not come: another one takes them. Calls to a target service that failed are made again; many: see the log of the service. Nothing is lost by either.',
      as: 'stat',
      unit: 'none',
      queries: [
        { expression: `sum(${grown(rolloutTable.givenBack)})`, legend: 'given back' },
        { expression: `sum(${grown(rolloutTable.failedCalls)}) or vector(0)`, legend: 'failed calls' },
      ],
    },
  ],
};
