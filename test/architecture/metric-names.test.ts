import { readFile } from 'node:fs/promises';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { metricTables } from '../../deploy/metrics-document/metrics-document.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { makeMetrics } from '../../process/metrics/metric.ts';

const definitions = metricTables.flatMap(({ table }) => Object.values(table));
/** The name without the suffix of a counter or of a metric that holds facts. */
const measured = (name: string) => name.replace(/_(total|info)$/, '');

describe.each(definitions)('$name', ({ name, kind, help, labels }) => {
  it('is named as Prometheus has it', () => {
    expect(name).toMatch(/^fusemesh_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total'), 'counters, and they alone, end in _total').toBe(kind === 'counter');
    // The base unit comes last.
    expect(name).not.toMatch(/milli|micro|nano|kilo|mega|giga|_ms\b|minutes|hours|percent/);
    if (/wait|duration|lag_|elapsed|timestamp/.test(measured(name)) && !/documents$/.test(measured(name))) {
      expect(measured(name)).toMatch(/_seconds$/);
    }
    if (/bytes/.test(name)) expect(measured(name)).toMatch(/_bytes$/);
    if (kind === 'histogram') expect(measured(name)).toMatch(/_(seconds|bytes|tokens|steps)$/);
    for (const label of labels) expect(label).toMatch(/^[a-z]+(_[a-z]+)*$/);
  });

  it('says what it is', () => {
    expect(help).toMatch(/^[A-Z0-9].{9,}\.$/);
    if (/_seconds/.test(name) && kind === 'counter') expect(help).toMatch(/time/i);
  });
});

it('every metric is one of its process alone', () => {
  const names = definitions.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { table } of metricTables) makeMetrics(table, new Registry());
});

it('docs/metrics.md names those of Node that there are', async () => {
  const document = await readFile('docs/metrics.md', 'utf8');
  const named = [...document.matchAll(/^\| `((?:process|nodejs)_\w+)` \|/gm)].map(([, name]) => name);
  const there = (await createRegister({}).getMetricsAsJSON()).map(({ name }) => name);
  expect(named.length).toBeGreaterThan(5);
  for (const name of named) expect(there).toContain(name);
});
