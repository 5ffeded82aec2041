import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

type Kind = 'counter' | 'gauge' | 'histogram';

/** A metric as plain data, for Prometheus and docs/metrics.md. */
export interface MetricDefinition<K extends Kind = Kind, Label extends string = string> {
  readonly kind: K;
  /** By Prometheus' conventions: base units, `_total` behind a counter. */
  readonly name: string;
  readonly help: string;
  /** Beside those of the register. */
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** Metrics of one part of a process, by the names that its code uses. */
export type MetricTable = Readonly<Record<string, MetricDefinition>>;

/** The metrics of a table, in a register. */
export type Metrics<Table extends MetricTable> = {
  readonly [Name in keyof Table]: Table[Name] extends MetricDefinition<infer K, infer Label>
    ? { counter: Counter<Label>; gauge: Gauge<Label>; histogram: Histogram<Label> }[K]
    : never;
};

export const counter = <const Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): MetricDefinition<'counter', Label> => ({ kind: 'counter', name, help, labels });

export const gauge = <const Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): MetricDefinition<'gauge', Label> => ({ kind: 'gauge', name, help, labels });

export const histogram = <const Label extends string = never>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly Label[] = [],
): MetricDefinition<'histogram', Label> => ({ kind: 'histogram', name, help, buckets, labels });

/** Brings metrics up to date whenever they are asked for. */
export type Collectors<Table extends MetricTable> = {
  readonly [Name in keyof Table]?: (metric: Metrics<Table>[Name]) => void;
};

/**
 * Makes the metrics of a table.
 *
 * @param register which is asked for them; its own labels stand beside theirs
 */
export function makeMetrics<Table extends MetricTable>(
  table: Table,
  register: Registry,
  collectors: Collectors<Table> = {},
): Metrics<Table> {
  const made = Object.entries(table).map(([key, definition]) => {
    const metric = make(definition, register);
    const collect = collectors[key] as ((metric: Counter | Gauge | Histogram) => void) | undefined;
    if (collect) Object.assign(metric, { collect: () => collect(metric) });
    return [key, metric];
  });
  return Object.fromEntries(made);
}

function make({ kind, name, help, labels, buckets }: MetricDefinition, register: Registry) {
  const settings = { name, help, labelNames: [...labels], registers: [register] };
  switch (kind) {
    case 'counter':
      return new Counter(settings);
    case 'gauge':
      return new Gauge(settings);
    case 'histogram':
      return new Histogram({ ...settings, buckets: [...buckets!] });
  }
}
