import type { MetricDefinition } from '../../../../process/metrics/metric.ts';
import { servedTable } from '../../../../services/teacher/backends/served/metric-table.ts';
import type { Row } from '../../panel.ts';
import { chosenTeachers, ofRun } from '../../query.ts';

/** These metrics have no run, as a teacher may work for several: their processes tell it. */
const ofServed = ({ name }: MetricDefinition): string => ofRun(`${name}{${chosenTeachers}}`);
const rateOf = (name: string): string => ofRun(`rate(${name}{${chosenTeachers}}[$__rate_interval])`);

export const served: Row = {
  title: 'Served models',
  panels: [
    {
      title: 'Servers that answer',
      description:
        'Whether a vLLM or SGLang server answers and its model has passed the probe. At 0 its texts wait, or go to the other servers: see the teacher’s log.',
      unit: 'short',
      min: 0,
      max: 1,
      queries: [{ expression: ofServed(servedTable.serverUp), legend: '{{teacher}} {{url}}' }],
    },
    {
      title: 'Requests in flight',
      description:
        'Texts that a server has in hand. It is halved when the server answers 500 or 503, and rises again slowly; at its limit, served.inFlight, the server sets the pace.',
      unit: 'short',
      min: 0,
      queries: [{ expression: ofServed(servedTable.requestsInFlight), legend: '{{teacher}} {{url}}' }],
    },
    {
      title: 'Time of a request',
      description:
        'From sending a text to having its checked scores: the median and the slowest hundredth. Long ones with few in flight: the server is busy with other work.',
      unit: 's',
      min: 0,
      queries: [0.5, 0.99].map((q) => ({
        expression: `histogram_quantile(${q}, sum by (le, teacher) (${rateOf(`${servedTable.requestSeconds.name}_bucket`)}))`,
        legend: `{{teacher}} p${q * 100}`,
      })),
    },
    {
      title: 'Sent again',
      description:
        'Requests a second that are sent again, by reason. unreachable and timeout: the server was away; busy, server_error: it has too much to do; nan, wrong_answer: it answers wrongly, see the log.',
      unit: 'reqps',
      min: 0,
      queries: [
        {
          expression: `sum by (teacher, reason) (${rateOf(servedTable.retries.name)})`,
          legend: '{{teacher}} {{reason}}',
        },
      ],
    },
    {
      title: 'Texts refused',
      description:
        'Texts that the server cannot score, or never scores rightly, in the time that is shown. They are in the run’s dead letters, with the reason.',
      unit: 'short',
      min: 0,
      queries: [
        {
          expression: `sum by (teacher) (${ofRun(`increase(${servedTable.refusals.name}{${chosenTeachers}}[$__range])`)})`,
          legend: '{{teacher}}',
        },
      ],
    },
    {
      title: 'Probe difference',
      description:
        'How far the rows of a prompt and the generated rows of its beginnings are apart. float32 has some 1e-5 nats, bfloat16 some 1e-3; a teacher with more than 0.05 stops.',
      unit: 'short',
      min: 0,
      queries: [{ expression: ofServed(servedTable.probeDifference), legend: '{{teacher}} {{url}}' }],
    },
  ],
};
