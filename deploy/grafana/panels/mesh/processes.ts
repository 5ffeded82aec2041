import { processTable } from '../../../../process/metrics/process-table.ts';
import type { Row } from '../../panel.ts';
import { everOfRun, ofRun } from '../../query.ts';

export const processes: Row = {
  title: 'Processes',
  panels: [
    {
      title: 'Processes up',
      description:
        'Whether Prometheus reaches each process that has worked for the run in the time shown. The trainer leaves when the run is done; anything else that is down asks for a look at its log. What is killed goes on where it was.',
      as: 'timeline',
      unit: 'none',
      width: 12,
      words: [
        { value: 0, text: 'down', color: 'red' },
        { value: 1, text: 'up', color: 'green' },
      ],
      queries: [{ expression: everOfRun('up'), legend: '{{job}} {{instance}}' }],
    },
    {
      title: 'Builds',
      description:
        'What the processes run. More than one version in a run is for the time of an update only: the protocol holds, but figures may differ.',
      unit: 'none',
      min: 0,
      width: 12,
      queries: [
        {
          expression: `count by (version, node_version) (${ofRun(processTable.buildInfo.name)})`,
          legend: 'FuseMesh {{version}}, Node {{node_version}}',
        },
      ],
    },
  ],
};
