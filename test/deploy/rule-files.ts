import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** A rule as it stands in its file. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const prometheusFolder = fileURLToPath(new URL('../../deploy/prometheus', import.meta.url));

const rulesOf = (file: string): readonly Rule[] =>
  (
    parse(readFileSync(`${prometheusFolder}/${file}`, 'utf8')) as { groups: { rules: Rule[] }[] }
  ).groups.flatMap(({ rules }) => rules);

export const recordingRules = rulesOf('recording.yaml');
export const alertRules = rulesOf('alerts.yaml');
