import * as bars from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as curves from '@grafana/grafana-foundation-sdk/timeseries';
import type { Panel, Query } from './panel.ts';
import { dataSource } from './variables.ts';

type Builder =
  | bars.PanelBuilder
  | curves.PanelBuilder
  | stat.PanelBuilder
  | table.PanelBuilder
  | timeline.PanelBuilder;

/** The panel in Grafana's model; its number and place are left to the dashboard. */
export function visualization(panel: Panel): Builder {
  const builder = drawn(panel)
    .title(panel.title)
    .description(panel.description)
    .datasource(dataSource)
    .unit(panel.unit);
  if (panel.min !== undefined) builder.min(panel.min);
  if (panel.max !== undefined) builder.max(panel.max);
  if (panel.words) builder.mappings([mapping(panel.words)]);
  for (const [index, query] of panel.queries.entries()) builder.withTarget(target(panel, query, index));
  return builder;
}

function drawn(panel: Panel): Builder {
  switch (panel.as ?? 'curves') {
    case 'curves':
      return timeSeries(panel);
    case 'stat':
      return new stat.PanelBuilder()
        .graphMode(BigValueGraphMode.None)
        .colorMode(BigValueColorMode.Value)
        .textMode(panel.queries.length > 1 ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
        .thresholds(oneColor)
        .noValue('–');
    case 'bars':
      return new bars.PanelBuilder()
        .displayMode(BarGaugeDisplayMode.Basic)
        .orientation(VizOrientation.Horizontal)
        .thresholds(nearlyFull);
    case 'timeline':
      return new timeline.PanelBuilder()
        .showValue(VisibilityMode.Auto)
        .mergeValues(true)
        .fillOpacity(60)
        .legend(legend)
        .thresholds(oneColor);
    case 'table':
      return fleetTable(panel);
  }
}

const legend = new VizLegendOptionsBuilder()
  .displayMode(LegendDisplayMode.List)
  .placement(LegendPlacement.Bottom)
  .showLegend(true);

// Without thresholds Grafana draws every value from 80 on in red.
const oneColor = new ThresholdsConfigBuilder()
  .mode(ThresholdsMode.Absolute)
  .steps([{ value: null, color: 'text' }]);
const nearlyFull = new ThresholdsConfigBuilder().mode(ThresholdsMode.Percentage).steps([
  { value: null, color: 'green' },
  { value: 90, color: 'orange' },
]);

function timeSeries({ stacked }: Panel): curves.PanelBuilder {
  const builder = new curves.PanelBuilder()
    .fillOpacity(stacked ? 40 : 8)
    .legend(legend)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  return stacked ? builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)) : builder;
}

/** One row a teacher, one column a query. */
function fleetTable({ queries }: Panel): table.PanelBuilder {
  const columns = queries.map(({ legend }, index) => [`Value #${reference(index)}`, legend] as const);
  const order = ['teacher', ...columns.map(([value]) => value)];
  const builder = new table.PanelBuilder()
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
        renameByName: { teacher: 'Teacher', ...Object.fromEntries(columns) },
      },
    })
    .thresholds(oneColor);
  for (const { legend, unit } of queries) {
    if (unit !== undefined) builder.overrideByName(legend, [{ id: 'unit', value: unit }]);
  }
  return builder;
}

function target({ as }: Panel, { expression, legend }: Query, index: number): DataqueryBuilder {
  const query = new DataqueryBuilder().refId(reference(index)).expr(expression).legendFormat(legend);
  if (as === 'table') return query.instant().format(PromQueryFormat.Table);
  return as === 'stat' || as === 'bars' ? query.instant() : query.range();
}

const reference = (index: number): string => String.fromCharCode('A'.charCodeAt(0) + index);

const mapping = (words: NonNullable<Panel['words']>): ValueMapping => ({
  type: MappingType.ValueToText,
  options: Object.fromEntries(words.map(({ value, text, color }, index) => [value, { text, color, index }])),
});
