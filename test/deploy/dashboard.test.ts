import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildDashboard, dashboardFile } from '../../deploy/grafana/dashboard.ts';
import { dashboards } from '../../deploy/grafana/dashboards.ts';
import { rolloutTable } from '../../services/rollout/metric-table.ts';
import { targetTable } from '../../services/target/metric-table.ts';
import { teacherTable } from '../../services/teacher/metric-table.ts';
import { trainerTable } from '../../trainer/report/metric-table.ts';
import { knownMetricNames } from './known-metric-names.ts';

const grafana = fileURLToPath(new URL('../../deploy/grafana', import.meta.url));
const ofRun = new Set(
  [trainerTable, teacherTable, rolloutTable, targetTable].flatMap((table) =>
    Object.values(table).map(({ name }) => name),
  ),
);

it('the repository has the dashboards that their source makes, and no other', async () => {
  const folder = join(grafana, 'dashboards');
  expect((await readdir(folder)).sort()).toEqual(dashboards.map(({ uid }) => `${uid}.json`).sort());
  for (const definition of dashboards) {
    expect(await readFile(join(folder, `${definition.uid}.json`), 'utf8')).toBe(dashboardFile(definition));
  }
});

it('Grafana takes them from the folder that Compose mounts', async () => {
  const provider = parse(await readFile(join(grafana, 'provisioning/dashboards/fusemesh.yaml'), 'utf8'));
  expect(provider).toEqual({
    apiVersion: 1,
    providers: [{ name: 'FuseMesh', type: 'file', options: { path: '/var/lib/grafana/dashboards' } }],
  });
});

describe.each(dashboards)('the dashboard $uid', (definition) => {
  const built = buildDashboard(definition);
  const panels = definition.rows.flatMap((row) => row.panels);
  const expressions = panels.flatMap((panel) => panel.queries.map(({ expression }) => expression));

  it('gives every panel and row a number of its own and a place that overlaps no other', () => {
    const placed = built.panels ?? [];
    expect(placed).toHaveLength(definition.rows.filter(({ title }) => title).length + panels.length);
    expect(new Set(placed.map(({ id }) => id)).size).toBe(placed.length);
    const taken = new Set<string>();
    for (const { gridPos } of placed) {
      const { x, y, w, h } = gridPos!;
      expect(x + w).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          expect(taken.has(`${column},${line}`)).toBe(false);
          taken.add(`${column},${line}`);
        }
      }
    }
  });

  it('tells of every panel what it shows, in a unit that Grafana knows', () => {
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    const known = new Set<unknown>(Object.values(units));
    for (const { title, description, unit, queries } of panels) {
      expect(description.length, title).toBeGreaterThan(60);
      for (const each of [unit, ...queries.map((query) => query.unit ?? unit)]) expect(known).toContain(each);
    }
  });

  it('asks for metrics that our processes make', () => {
    for (const expression of expressions) {
      for (const name of expression.match(/fusemesh_\w+/g) ?? []) expect(knownMetricNames).toContain(name);
    }
  });

  it('asks only for the run that the viewer chose', () => {
    for (const expression of expressions) {
      expect(expression).toContain('run="$run"');
      for (const [selector, name] of expression.matchAll(/(fusemesh_\w+)(?:\{[^}]*\})?/g)) {
        if (ofRun.has(name.replace(/_(bucket|sum|count)$/, '')) && !expression.includes('__name__')) {
          expect(selector).toContain('run="$run"');
        }
      }
    }
  });

  it('uses no variable that it does not have', () => {
    const names = built.templating?.list?.map(({ name }) => name);
    expect(names).toEqual(['datasource', 'run', 'teacher']);
    const ofGrafana = ['__rate_interval', '__range', '__all'];
    for (const [, name] of JSON.stringify(built).matchAll(/\$\{?(\w+)/g)) {
      expect([...names!, ...ofGrafana]).toContain(name);
    }
  });

  it('leads to the others and keeps what was chosen', () => {
    expect(built.links).toMatchObject([{ type: 'dashboards', includeVars: true, keepTime: true }]);
    for (const other of dashboards) expect(buildDashboard(other).tags).toEqual(built.links![0].tags);
  });
});
