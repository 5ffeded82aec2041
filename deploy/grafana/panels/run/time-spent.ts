import { trainerTable } from '../../../../trainer/report/metric-table.ts';
import type { Row } from '../../panel.ts';
import { chosenTeachers, gauge, quantile, rate } from '../../query.ts';
import { stateNumber, stateWords } from './states.ts';

export const timeSpent: Row = {
  title: 'Time',
  panels: [
    {
      title: 'Where time goes',
      description:
        'Seconds of each second of wall time by what the training does; no second counts twice, what is missing to 1 is start and pauses. “wait” is large: teachers or feeder are the bottleneck. “align” shows: fusion does not keep up with the engine, so use fewer candidates (topK) or more cores. “compute” fills all: the trainer is, which is as good as it gets.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      stacked: true,
      queries: [{ expression: `sum by (phase) (${rate(trainerTable.phaseSeconds)})`, legend: '{{phase}}' }],
    },
    {
      title: 'Wait share',
      description:
        'Share of the training’s time that goes into waiting for documents and distributions. Near 0 the trainer is the bottleneck, near 1 the teachers are: “Who is waited for” on the Mesh dashboard names them.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      queries: [
        {
          expression: `sum(${rate(trainerTable.phaseSeconds, 'phase="wait"')}) / sum(${rate(trainerTable.phaseSeconds)})`,
          legend: 'waiting',
        },
      ],
    },
    {
      title: 'Step time',
      description:
        'Median and 95th percentile of the seconds of one optimizer step, waiting not included. Steps that grow slower over time ask for a look at memory and event-loop lag on the Mesh dashboard.',
      unit: 's',
      min: 0,
      queries: [
        { expression: quantile(0.5, trainerTable.stepSeconds), legend: 'median' },
        { expression: quantile(0.95, trainerTable.stepSeconds), legend: '95 %' },
      ],
    },
    {
      title: 'Queue depth',
      description:
        'Distributions of each teacher that have come and wait for a step. A deep queue belongs to a fast teacher, an empty one to the teacher that all wait for.',
      unit: 'short',
      min: 0,
      queries: [{ expression: gauge(trainerTable.queueDepth, chosenTeachers), legend: '{{teacher}}' }],
    },
    {
      title: 'Lag',
      description:
        'Documents published that no replica of a teacher has scored yet. The slowest teacher’s is as long as nats.maxDocuments lets it be; that of a teacher that stands still climbs while the others’ fall: see its log.',
      unit: 'short',
      min: 0,
      queries: [{ expression: gauge(trainerTable.streamLag, chosenTeachers), legend: '{{teacher}}' }],
    },
    {
      title: 'To the device and back',
      description:
        'Bytes per second that steps bring to the device and back: of each token some dozens for every block, and nothing that grows with the model’s width or vocabulary. 0 with execution: cpu.',
      unit: 'Bps',
      min: 0,
      queries: [
        { expression: `sum by (direction) (${rate(trainerTable.deviceTransfer)})`, legend: '{{direction}}' },
      ],
    },
    {
      title: 'State over time',
      description:
        'What the trainer did when. Gaps are times in which Prometheus did not reach it; a “starting” in the middle is a restart.',
      as: 'timeline',
      unit: 'none',
      width: 24,
      words: stateWords,
      queries: [{ expression: stateNumber, legend: 'trainer' }],
    },
  ],
};
