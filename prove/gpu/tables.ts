import type { Proof } from './prove.ts';
import { type Part, parts, type Row } from './row.ts';
import { tolerances } from './tolerances.ts';

const titles: Readonly<Record<Part, string>> = {
  parity: 'Parity with the processor in float32',
  train: 'Training',
  teach: 'Scoring, as teachers do',
  run: 'A fused run, its trainer killed and resumed',
};

/** The rows as Markdown, one table a part. */
export const tablesOf = (rows: readonly Row[]): string =>
  parts
    .map((part) => [part, rows.filter((row) => row.part === part)] as const)
    .filter(([, ofPart]) => ofPart.length > 0)
    .map(
      ([part, ofPart]) =>
        `### ${titles[part]}\n\n${tableOf(part === 'parity' ? parityTable(ofPart) : ofPart)}`,
    )
    .join('\n\n');

/** The worst figure of each precision, and by itself each model that fails. */
export function parityTable(rows: readonly Row[]): Row[] {
  return Object.entries(tolerances).flatMap(([precision, allowed]) => {
    const ofPrecision = rows.filter(({ name }) => name.split(' ')[0] === precision);
    const compared = ofPrecision.filter(({ figures }) => figures);
    if (ofPrecision.length === 0) return [];
    const figures = Object.fromEntries(
      Object.entries(allowed).flatMap(([what, tolerance]) => {
        const values = compared.flatMap((row) => row.figures![what] ?? []);
        if (values.length === 0) return [];
        // NaN comes as a word.
        const worst = Math.max(...values.map(Number));
        return [[what, `${digits(worst)} (${tolerance} allowed)`]];
      }),
    );
    const worst: Row = {
      part: 'parity',
      name: `${precision}: the worst of ${compared.length}`,
      figures,
      ok: ofPrecision.every(({ ok }) => ok !== false) && compared.length > 0,
    };
    return [worst, ...ofPrecision.filter(({ ok, note }) => ok === false || note)];
  });
}

function tableOf(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(({ figures = {} }) => Object.keys(figures)))];
  const judged = rows.some(({ ok }) => ok !== undefined);
  const noted = rows.some(({ note }) => note);
  const cells = rows.map(({ name, figures = {}, ok, note = '' }) => [
    name,
    ...columns.map((column) => (column in figures ? digits(figures[column]) : '')),
    ...(judged ? [ok === undefined ? '' : ok ? 'yes' : '**no**'] : []),
    ...(noted ? [note.replaceAll('|', '\\|')] : []),
  ]);
  const head = ['', ...columns, ...(judged ? ['passes'] : []), ...(noted ? ['note'] : [])];
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...cells.map(line)].join('\n');
}

function digits(value: number | string): string {
  if (typeof value !== 'number') return value;
  return value === 0 || Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** On what the proof was done, in a line. */
export function headOf({ place, card, driver, node, onnxruntime, seconds }: Proof): string {
  const on =
    card === undefined ? `the provider ${place.provider}` : `${card} (${place.provider}, driver ${driver})`;
  return `On ${on}, ONNX Runtime ${onnxruntime}, Node ${node}, in ${Math.round(seconds)} s:`;
}
