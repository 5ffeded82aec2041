import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildDashboard, dashboardFile, rows } from '../../deploy/grafana/dashboard.ts';

const committed = fileURLToPath(new URL('../../deploy/grafana/dashboards/fusemesh.json', import.meta.url));
const panels = rows.flatMap((row) => row.panels);

describe('the Grafana dashboard', () => {
  it('in the repository is the one that its source makes', async () => {
    expect(await readFile(committed, 'utf8')).toBe(dashboardFile());
  });

  it('gives every panel and row a number of its own and a place that overlaps no other', () => {
    const placed = buildDashboard().panels ?? [];
    expect(placed).toHaveLength(rows.length + panels.length);
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

  it('asks only for the run that the viewer chose', () => {
    for (const { expression } of panels.flatMap((panel) => panel.queries)) {
      const selectors = expression.match(/fusemesh_\w+\{[^}]*\}/g) ?? [];
      expect(selectors.length).toBeGreaterThan(0);
      for (const selector of selectors) expect(selector).toContain('run="$run"');
    }
  });
});
