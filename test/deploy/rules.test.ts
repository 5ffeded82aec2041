import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findProgram } from './find-program.ts';
import { knownMetricNames } from './known-metric-names.ts';
import { alertRules, prometheusFolder, recordingRules } from './rule-files.ts';

const run = promisify(execFile);
const promtool = findProgram('promtool');
const files = ['recording.yaml', 'alerts.yaml'].map((file) => join(prometheusFolder, file));
const testFiles = readdirSync(join(prometheusFolder, 'tests')).map((file) =>
  join(prometheusFolder, 'tests', file),
);

describe('the alerts', () => {
  it('say how bad it is, what is wrong and what to do', () => {
    for (const { alert, labels, annotations } of alertRules) {
      expect(['critical', 'warning'], alert).toContain(labels?.['severity']);
      for (const key of ['summary', 'description', 'action']) {
        expect(annotations?.[key], `${alert}, ${key}`).toBeTruthy();
      }
    }
  });

  it('have a section each in docs/alerts.md, and no section has lost its alert', () => {
    const runbook = readFileSync(fileURLToPath(new URL('../../docs/alerts.md', import.meta.url)), 'utf8');
    const sections = [...runbook.matchAll(/^## (\S+)\n\n\*(\w+)\.\*/gm)].map(([, name, severity]) => [
      name,
      severity.toLowerCase(),
    ]);
    expect(sections).toEqual(alertRules.map(({ alert, labels }) => [alert, labels?.['severity']]));
    for (const { alert, annotations } of alertRules) {
      expect(annotations?.['runbook']).toBe(`docs/alerts.md#${alert!.toLowerCase()}`);
    }
  });

  it('have a test each in which they fire and one in which they must not', () => {
    interface Case {
      readonly alert_rule_test: readonly {
        readonly alertname: string;
        readonly exp_alerts: readonly unknown[];
      }[];
    }
    const cases = testFiles
      .flatMap((file) => (parse(readFileSync(file, 'utf8')) as { tests: Case[] }).tests)
      .flatMap(({ alert_rule_test }) => alert_rule_test);
    const tested = (fires: boolean) =>
      new Set(
        cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname),
      );
    const names = alertRules.map(({ alert }) => alert).sort();
    expect([...tested(true)].sort()).toEqual(names);
    expect([...tested(false)].sort()).toEqual(names);
  });
});

describe('the rules', () => {
  it('ask for metrics that our processes or the rules make', () => {
    const recorded = recordingRules.map(({ record }) => record!);
    for (const name of recorded) expect(name).toMatch(/^[a-z_]+:\w+:\w+$/);
    for (const { expr } of [...recordingRules, ...alertRules]) {
      const names = expr.match(/[\w:]*fusemesh_\w+(:\w+)?/g) ?? [];
      for (const name of names) expect([...knownMetricNames, ...recorded]).toContain(name);
      expect(names.length + (expr.match(/\bup\{/g) ?? []).length, expr).toBeGreaterThan(0);
    }
  });

  const why = promtool ? '' : ' (skipped: promtool is not installed; apt-get install prometheus)';
  it.skipIf(!promtool)(`are what promtool takes for valid${why}`, async () => {
    await run(promtool!, ['check', 'rules', '--lint-fatal', ...files]);
    await run(promtool!, ['check', 'config', join(prometheusFolder, 'prometheus.yml')]);
  });

  it.skipIf(!promtool)(`pass the tests in deploy/prometheus/tests${why}`, async () => {
    await run(promtool!, ['test', 'rules', ...testFiles]);
  });
});
