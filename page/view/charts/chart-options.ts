/** What a chart shows, and how. */
export interface ChartOptions {
  readonly title: string;
  /** Stands behind the title. */
  readonly unit?: string;
  /** Of values in the legend. */
  readonly format: (value: number | null | undefined) => string;
  /** Of values at the axis. */
  readonly tick: (value: number) => string;
  /** The axis begins at 0. */
  readonly fromZero?: boolean;
  /** In pixels. */
  readonly height: number;
  /** Marks each value: there are few. */
  readonly dots?: boolean;
}
