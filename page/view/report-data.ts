import type { JsonValue } from '@bufbuild/protobuf';

/** What the report of a run shows; the document holds it as JSON. */
export interface ReportData {
  readonly run: string;
  readonly finished: boolean;
  /** When the report was written, as ISO 8601. */
  readonly written: string;
  /** Steps done, tokens trained on and the seconds that it took. */
  readonly totals: { readonly steps: number; readonly tokens: number; readonly seconds: number };
  readonly teachers: readonly string[];
  /** Documents that each taught. */
  readonly chosen: Readonly<Record<string, number>>;
  /** Held-out losses in bits per byte, by domain; empty where the run has not been finished. */
  readonly domains: readonly DomainResult[];
  /** GetHistoryResponse in protobuf's JSON. */
  readonly history: JsonValue;
  /** What was run: groups of names and values. */
  readonly settings: readonly SettingGroup[];
}

export interface DomainResult {
  readonly name: string;
  readonly before: number;
  readonly after: number | null;
  /** By the name of the teacher. */
  readonly teachers: Readonly<Record<string, number>>;
}

export interface SettingGroup {
  readonly title: string;
  readonly rows: readonly (readonly [name: string, value: string])[];
}
