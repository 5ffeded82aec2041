import {
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Panel, Row } from './panel.ts';
import { fusion } from './panels/fusion.ts';
import { loss } from './panels/loss.ts';
import { steps } from './panels/steps.ts';
import { throughput } from './panels/throughput.ts';

/** All that the dashboard shows, from top to bottom. */
export const rows: readonly Row[] = [throughput, loss, fusion, steps];

/** Query that lists the runs which a viewer can choose from. */
export const runsQuery = { metric: 'fusemesh_teacher_tokens_scored_total', label: 'run' } as const;

const dataSource = { type: 'prometheus', uid: '$datasource' };
/** The grid of a dashboard is 24 wide. */
const panelsInLine = 3;

/** The dashboard in Grafana's own model, ready for provisioning or import. */
export function buildDashboard(): Dashboard {
  const builder = new DashboardBuilder('FuseMesh')
    .uid('fusemesh')
    .description('Teachers, streams and trainer of a FuseMesh run.')
    .tags(['fusemesh'])
    .time({ from: 'now-30m', to: 'now' })
    .refresh('5s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('run')
        .label('Run')
        .datasource(dataSource)
        .query(`label_values(${runsQuery.metric}, ${runsQuery.label})`)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc),
    );
  let id = 0;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) builder.withPanel(timeSeries(panel, row.panels.length).id(++id));
  }
  return builder.build();
}

function timeSeries(panel: Panel, neighbours: number): PanelBuilder {
  const builder = new PanelBuilder()
    .title(panel.title)
    .description(panel.description)
    .datasource(dataSource)
    .unit(panel.unit)
    .height(8)
    .span(24 / Math.min(neighbours, panelsInLine))
    .fillOpacity(8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (panel.min !== undefined) builder.min(panel.min);
  if (panel.max !== undefined) builder.max(panel.max);
  for (const [index, { expression, legend }] of panel.queries.entries()) {
    builder.withTarget(
      new DataqueryBuilder()
        .refId(String.fromCharCode('A'.charCodeAt(0) + index))
        .expr(expression)
        .legendFormat(legend),
    );
  }
  return builder;
}

/** The text of the dashboard's file. */
export const dashboardFile = (): string => `${JSON.stringify(buildDashboard(), null, 2)}\n`;
