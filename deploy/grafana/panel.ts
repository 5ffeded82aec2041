/** A time series panel of the dashboard, as plain data. */
export interface Panel {
  readonly title: string;
  /** What the panel shows and what to do when it looks wrong; shown as the panel's help. */
  readonly description: string;
  /** Grafana's id of the unit of the y axis. */
  readonly unit: string;
  /** Lowest value of the y axis; by default it fits the data. */
  readonly min?: number;
  readonly max?: number;
  readonly queries: readonly Query[];
}

export interface Query {
  /** PromQL; `$run` is the run that the viewer chose, `$__rate_interval` Grafana's window for rates. */
  readonly expression: string;
  /** Legend, with labels in double braces. */
  readonly legend: string;
}

/** Panels that stand together under one heading. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Per-second rate of a trainer or teacher counter of the chosen run. */
export const rate = (counter: string, labels = ''): string =>
  `rate(${counter}{${selected(labels)}}[$__rate_interval])`;

/** Present value of a gauge of the chosen run. */
export const gauge = (name: string, labels = ''): string => `${name}{${selected(labels)}}`;

/** A quantile of a histogram of the chosen run, over the window for rates. */
export const quantile = (q: number, histogram: string, by: readonly string[] = []): string =>
  `histogram_quantile(${q}, sum by (${['le', ...by].join(', ')}) (${rate(`${histogram}_bucket`)}))`;

const selected = (labels: string): string => (labels === '' ? 'run="$run"' : `run="$run", ${labels}`);
