/** A panel of a dashboard, as plain data. */
export interface Panel {
  readonly title: string;
  /** What the panel shows and what to do when it looks wrong; shown as the panel's help. */
  readonly description: string;
  /** How it is drawn; curves over time by default. A stat and a table show the present values. */
  readonly as?: 'stat' | 'bars' | 'timeline' | 'table';
  /** Grafana's id of the unit of the values. */
  readonly unit: string;
  /** Lowest value of the y axis; by default it fits the data. */
  readonly min?: number;
  readonly max?: number;
  /** Curves are stacked: the uppermost shows their sum. */
  readonly stacked?: boolean;
  /** Of 24; by default the panels of a row share it evenly, at most three in a line. */
  readonly width?: number;
  readonly height?: number;
  /** Words in place of numbers. */
  readonly words?: readonly Word[];
  readonly queries: readonly Query[];
}

export interface Query {
  /** PromQL with Grafana's variables (variables.ts). */
  readonly expression: string;
  /** Legend, with labels in double braces; in a table the head of the column. */
  readonly legend: string;
  /** In a table: of its column. */
  readonly unit?: string;
}

/** What a number means. */
export interface Word {
  readonly value: number;
  readonly text: string;
  readonly color: string;
}

/** Panels that stand together, under a heading if it has a title. */
export interface Row {
  readonly title?: string;
  readonly panels: readonly Panel[];
}

/** A dashboard, from top to bottom. */
export interface DashboardDefinition {
  /** In its address; never changed, since people keep links. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}
