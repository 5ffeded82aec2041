import { fromJson } from '@bufbuild/protobuf';
import { GetHistoryResponseSchema } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { rolloutCharts } from './charts/rollout-charts.ts';
import {
  chosenChart,
  figureCharts,
  heldOutChart,
  lossChart,
  speedChart,
  waitChart,
} from './charts/run-charts.ts';
import { chartPanel, element } from './element.ts';
import { duration, grouped, rate } from './format.ts';
import { showFacts } from './head/head.ts';
import { nameLine } from './head/name-line.ts';
import { curvesOf } from './history/curves.ts';
import { chosenPanel } from './panels/chosen-panel.ts';
import { resultTable } from './report/result-table.ts';
import { settingsPanel } from './report/settings-panel.ts';
import { writtenPanel } from './report/written-panel.ts';
import type { ReportData } from './report-data.ts';

const data = JSON.parse(document.getElementById('data')!.textContent) as ReportData;
const curves = curvesOf(fromJson(GetHistoryResponseSchema, data.history, { ignoreUnknownFields: true }));
const state = data.finished ? 'finished' : 'unfinished';

const facts = element('dl', { class: 'facts' });
const { steps, tokens, seconds } = data.totals;
showFacts(facts, [
  ['steps', grouped(steps)],
  ['tokens trained', grouped(tokens)],
  ['time', duration(seconds)],
  ['tokens/s', rate(seconds > 0 ? tokens / seconds : undefined)],
]);
const speed = speedChart();
const losses = lossChart();
const heldOut = heldOutChart();
const details = [...figureCharts(), waitChart()];
const chosen = chosenPanel('Who taught');
const chosenOverTime = chosenChart();
const overRollouts = curves.rollouts ? rolloutCharts() : [];

document.body.replaceChildren(
  element(
    'header',
    { class: 'head' },
    element(
      'div',
      { class: 'head-row' },
      nameLine(element('h1', {}, data.run), element('span', { class: `state ${state}` }, state)),
      facts,
    ),
  ),
  element(
    'main',
    {},
    data.finished
      ? undefined
      : element(
          'p',
          { class: 'unfinished-note' },
          'This run has not been finished: here is how far it had come.',
        ),
    data.domains.length > 0 ? resultTable(data.domains) : undefined,
    chartPanel(curves.heldOut.length > 0 ? 'half' : 'whole', losses.element),
    curves.heldOut.length > 0 ? chartPanel('half', heldOut.element) : undefined,
    chartPanel('whole', speed.element),
    chosen.element,
    chartPanel('half', chosenOverTime.element),
    ...details.map(({ element }) => chartPanel('quarter', element)),
    curves.rollouts && writtenPanel(curves.rollouts, overRollouts),
    settingsPanel(data.settings),
  ),
  element(
    'footer',
    {},
    `Written by fusemesh report on ${data.written.slice(0, 16).replace('T', ' at ')} UTC.`,
  ),
);

chosen.show(new Map(data.teachers.map((teacher) => [teacher, data.chosen[teacher] ?? 0])));
for (const chart of [losses, heldOut, speed, chosenOverTime, ...details, ...overRollouts])
  chart.show(curves, data.teachers);
