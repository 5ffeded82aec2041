import { alignColumns } from '../../cli/view/table.ts';
import type { NamedResult } from './measure/equal-effort.ts';

/** Held-out bits per byte by experiment and domain, each the mean over its seeds, as a table for the terminal. */
export function lossTable(results: readonly NamedResult[]): string {
  const domains = Object.keys(results[0]?.result.bitsPerByte ?? {});
  const names = [...new Set(results.map(({ experiment }) => experiment))];
  const rows = names.map((name) => {
    const own = results.filter(({ experiment }) => experiment === name).map(({ result }) => result);
    const means = domains.map((domain) => mean(own.map(({ bitsPerByte }) => bitsPerByte[domain])));
    return [name, String(own.length), ...[...means, mean(means)].map((bits) => bits.toFixed(4))];
  });
  const table = alignColumns([['bits per byte', 'seeds', ...domains, 'mean'], ...rows]);
  return table.map((row) => row.join('  ')).join('\n');
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
