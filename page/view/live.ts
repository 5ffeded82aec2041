import type { GetStatusResponse } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { alignmentPanel } from './alignment/alignment-panel.ts';
import { rolloutCharts } from './charts/rollout-charts.ts';
import { figureCharts, heldOutChart, lossChart, speedChart } from './charts/run-charts.ts';
import { chartPanel, element } from './element.ts';
import { pageHead } from './head/head.ts';
import { noCurves } from './history/curves.ts';
import { answeringNote } from './live/answering-note.ts';
import { follow } from './live/follow.ts';
import { meshPicture } from './mesh/picture.ts';
import { ratesOf, type Sample, withSample } from './mesh/rates.ts';
import { chosenPanel } from './panels/chosen-panel.ts';
import { speedPanel } from './panels/speed-panel.ts';
import { timePanel } from './panels/time-panel.ts';
import { rolloutsPanel } from './rollouts/rollouts-panel.ts';

const head = pageHead();
const note = answeringNote();
const overTime = speedChart();
const speed = speedPanel(overTime.element);
const losses = [lossChart(), heldOutChart()] as const;
const mesh = meshPicture();
const time = timePanel();
const chosen = chosenPanel();
const details = figureCharts();
const overRollouts = rolloutCharts();
const rollouts = rolloutsPanel(overRollouts.map(({ element }) => element));
const alignment = alignmentPanel();

document.body.replaceChildren(
  head.element,
  note.element,
  element(
    'main',
    {},
    speed.element,
    ...losses.map(({ element }) => chartPanel('half', element)),
    mesh.element,
    time.element,
    chosen.element,
    ...details.map(({ element }) => chartPanel('third', element)),
    rollouts.element,
    alignment.element,
  ),
  element('footer', {}, 'The same figures for Prometheus: ', element('a', { href: '/metrics' }, '/metrics')),
);

let last: GetStatusResponse | undefined;
let samples: readonly Sample[] = [];
const charts = [overTime, ...losses, ...details, ...overRollouts];
const teachers = () => last?.sources.map(({ teacher }) => teacher) ?? [];
for (const chart of charts) chart.show(noCurves, []);

void follow({
  status(status) {
    last = status;
    samples = withSample(samples, { at: performance.now() / 1000, status });
    head.show(status);
    speed.show(status);
    mesh.show(status, ratesOf(samples));
    time.show(status.time);
    rollouts.show(status);
    chosen.show(
      new Map(status.sources.map(({ teacher, documentsChosen }) => [teacher, Number(documentsChosen)])),
    );
  },
  curves(curves) {
    for (const chart of charts) chart.show(curves, teachers());
  },
  alignment: alignment.show,
  answering: (yes) => note.show(yes, last?.state),
});
