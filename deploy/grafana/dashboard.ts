import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardDefinition, Row } from './panel.ts';
import { checkpoints, choices, dataSource, type Variable, variables } from './variables.ts';
import { visualization } from './visualization.ts';

/** Marks our dashboards; the links between them find each other by it. */
const tag = 'fusemesh';
/** The grid of a dashboard is 24 wide. */
const panelsInLine = 3;
const usualHeight = 8;

const linkToOthers = new DashboardLinkBuilder('FuseMesh')
  .type(DashboardLinkType.Dashboards)
  .tags([tag])
  .includeVars(true)
  .keepTime(true);

const marksOfCheckpoints = new AnnotationQueryBuilder()
  .name('Checkpoints')
  .datasource(dataSource)
  .enable(true)
  .iconColor('blue')
  .expr(checkpoints)
  .step('5s')
  .useValueForTime(true)
  .titleFormat('Checkpoint');

/** Without the placement that the SDK sets: newer versions of Grafana hide it in a menu. */
const inSight = <T extends { placement?: unknown }>(builder: { build: () => T }) => ({
  build(): Omit<T, 'placement'> {
    const { placement: _, ...shown } = builder.build();
    return shown;
  },
});

/** The dashboard in Grafana's own model, ready for provisioning or import. */
export function buildDashboard({ uid, title, description, rows }: DashboardDefinition): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([tag])
    .time({ from: 'now-30m', to: 'now' })
    .refresh('5s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(inSight(linkToOthers))
    .annotation(inSight(marksOfCheckpoints))
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const variable of variables) builder.withVariable(choice(variable));
  let id = 0;
  for (const { title, panels } of rows) {
    if (title !== undefined) builder.withRow(new RowBuilder(title).id(++id));
    for (const panel of panels) {
      builder.withPanel(
        visualization(panel)
          .id(++id)
          .height(panel.height ?? usualHeight)
          .span(panel.width ?? evenWidth(panels)),
      );
    }
  }
  return builder.build();
}

const evenWidth = (panels: Row['panels']): number => 24 / Math.min(panels.length, panelsInLine);

function choice(variable: Variable): QueryVariableBuilder {
  const builder = new QueryVariableBuilder(variable.name)
    .label(variable.label)
    .datasource(dataSource)
    .query(`label_values(${choices(variable)}, ${variable.name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
  if (!variable.several) return builder;
  return builder
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: ['All'], value: ['$__all'] });
}

/** The text of the dashboard's file. */
export const dashboardFile = (definition: DashboardDefinition): string =>
  `${JSON.stringify(buildDashboard(definition), null, 2)}\n`;
