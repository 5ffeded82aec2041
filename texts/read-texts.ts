import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { findTextFiles } from './find-text-files.ts';
import { readRows } from './read-rows.ts';
import { beginning, type Row, type RowPosition, type RowProblem } from './row.ts';

/** Where texts are, and their label. */
export interface TextEntry {
  readonly domain: string;
  /** A file of texts, a directory of them, or a pattern; see {@link findTextFiles}. */
  readonly path: string;
  /** The key or column that holds the text; "text" by default. */
  readonly column?: string | undefined;
  /** What becomes of a row that is no text: all is refused by default, or the row is left out. */
  readonly invalid?: 'refuse' | 'skip' | undefined;
}

/** A whole text of a corpus. */
export interface LabelledText {
  readonly domain: string;
  readonly text: string;
}

/** A row that was left out. */
export interface SkippedRow {
  readonly place: string;
  readonly problem: RowProblem;
}

/**
 * The texts of a corpus, in the order of entries, files and rows.
 *
 * @throws FuseMeshError not_found for a missing path, invalid_argument for a file that cannot be read, or a row that is
 *   no text where the entry does not skip these
 */
export async function* readTexts(
  entries: readonly TextEntry[],
  { onSkipped }: { readonly onSkipped?: ((row: SkippedRow) => void) | undefined } = {},
): AsyncGenerator<LabelledText> {
  for (const entry of entries) {
    for (const file of (await findTextFiles(entry.path)).files) {
      for await (const { text } of readFileTexts(file, entry, { onSkipped })) {
        yield { domain: entry.domain, text };
      }
    }
  }
}

export interface FileTextOptions {
  readonly from?: RowPosition;
  readonly onSkipped?: ((row: SkippedRow) => void) | undefined;
  /** Called with how many bytes of the file, as it is on disk, were read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/**
 * The texts of one file.
 *
 * @throws FuseMeshError as {@link readTexts}
 */
export async function* readFileTexts(
  file: string,
  { column = 'text', invalid = 'refuse' }: Pick<TextEntry, 'column' | 'invalid'>,
  { from = beginning, onSkipped, onRead }: FileTextOptions = {},
): AsyncGenerator<{ readonly text: string; readonly after: RowPosition }> {
  let hasColumn = from.rows > 0;
  let without: Row | undefined;
  for await (const row of readRows(file, { columns: [column], from, onRead })) {
    const { place, after } = row;
    const content = textOfRow(row, column);
    if ('text' in content) {
      hasColumn = true;
      yield { text: content.text, after };
      continue;
    }
    const { problem } = content;
    if (invalid === 'refuse') throw refuse(row, problem, column);
    if (problem === 'no such column') without ??= row;
    else hasColumn ||= problem === 'null' || problem === 'empty';
    onSkipped?.({ place, problem });
  }
  // Not a row is broken then, but the name of the column.
  if (without !== undefined && !hasColumn) throw refuse(without, 'no such column', column);
}

function textOfRow(row: Row, column: string): { text: string } | { problem: RowProblem } {
  if ('problem' in row) return row;
  const { value } = row;
  const text = columnOf(value, column);
  if (typeof text !== 'string') return text;
  if (text === '') return { problem: 'empty' };
  return text.isWellFormed() ? { text } : { problem: 'half a character' };
}

function columnOf(value: unknown, column: string): string | { problem: RowProblem } {
  if (value === null) return { problem: 'null' };
  if (typeof value !== 'object' || Array.isArray(value)) return { problem: 'no object' };
  if (!Object.hasOwn(value, column)) return { problem: 'no such column' };
  const text = (value as Record<string, unknown>)[column];
  if (text === null) return { problem: 'null' };
  return typeof text === 'string' ? text : { problem: 'no string' };
}

function refuse(row: Row, problem: RowProblem, column: string): FuseMeshError {
  const says: Readonly<Record<RowProblem, string>> = {
    'not UTF-8': 'is not UTF-8 text: convert the file, for example with "iconv -f LATIN1 -t UTF-8"',
    'not JSON': 'is not JSON: put one object on each line',
    'no object': `is no object: make it {"${column}": "…"}`,
    'no such column': `has no "${column}"; it has ${keysOf(row)}: set column to what holds the text`,
    null: 'is null: give it a text',
    'no string': `has no string in its "${column}": make it one`,
    'half a character': `has half of a surrogate pair in its "${column}" (an escape from \\ud800 to \\udfff that stands alone), which is no character: write the whole pair`,
    empty: 'is empty: give it a text',
  };
  return new FuseMeshError(
    'invalid_argument',
    `${row.place} ${says[problem]}, or leave such rows out with "invalid: skip".`,
  );
}

function keysOf(row: Row): string {
  const keys = 'value' in row && typeof row.value === 'object' ? Object.keys(row.value ?? {}) : [];
  return keys.map((key) => `"${key}"`).join(', ') || 'no keys';
}
