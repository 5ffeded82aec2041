import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { Content } from '../model/chat/conversation.ts';
import { findTextFiles } from './find-text-files.ts';
import type { ContentProblem } from './messages.ts';
import { readRows } from './read-rows.ts';
import { beginning, type CutProblem, type Row, type RowPosition, type RowProblem } from './row.ts';
import { type Learn, rowContent } from './row-content.ts';
import { formatKeys, type RowPurpose } from './row-format.ts';

/** Where texts are, and their label. */
export interface TextEntry {
  readonly domain: string;
  /** A file of texts, a directory of them, or a pattern; see {@link findTextFiles}. */
  readonly path: string;
  /** The key or column that holds a text or messages; left out, it is found by its name (row-format.ts). */
  readonly column?: string | undefined;
  /** What becomes of a row that is no text: all is refused by default, or the row is left out. */
  readonly invalid?: 'refuse' | 'skip' | undefined;
  /** What the target learns of it, by default what the kind of row suggests (row-content.ts). */
  readonly learn?: Learn | undefined;
}

/** A whole text or conversation of a corpus. */
export interface LabelledContent {
  readonly domain: string;
  readonly content: Content;
  /** What to call it in a message: FILE:LINE, or "FILE, row 3". */
  readonly place: string;
}

/** A row, or a part of its conversation, that was left out. */
export interface SkippedRow {
  readonly place: string;
  readonly problem: RowProblem | CutProblem;
  /** What a chat template said of it. */
  readonly reason?: string;
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
): AsyncGenerator<LabelledContent> {
  for (const entry of entries) {
    for (const file of (await findTextFiles(entry.path)).files) {
      for await (const { content, place } of readFileTexts(file, entry, { onSkipped })) {
        yield { domain: entry.domain, content, place };
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
export function readFileTexts(
  file: string,
  { column, invalid, learn }: Pick<TextEntry, 'column' | 'invalid' | 'learn'>,
  options: FileTextOptions = {},
): AsyncGenerator<FileText<Content>> {
  const read = (row: Row) => rowContent(row, { column, learn });
  return readFileRows(file, { column, invalid, purpose: 'texts', read }, options);
}

/** What a row of a file holds. */
export interface FileText<Content> {
  readonly content: Content;
  readonly place: string;
  readonly after: RowPosition;
}

/** What the rows of a file are read as. */
interface RowReading<Content> extends Pick<TextEntry, 'column' | 'invalid'> {
  readonly purpose: RowPurpose;
  read(row: Row): { readonly content: Content } | ContentProblem;
}

/**
 * What the rows of a file hold; those that hold nothing usable are refused, or left out and told.
 *
 * @throws FuseMeshError as {@link readTexts}
 */
export async function* readFileRows<Content>(
  file: string,
  { column, invalid = 'refuse', purpose, read }: RowReading<Content>,
  { from = beginning, onSkipped, onRead }: FileTextOptions = {},
): AsyncGenerator<FileText<Content>> {
  let hasColumn = from.rows > 0;
  let without: Row | undefined;
  for await (const row of readRows(file, { column, purpose, from, onRead })) {
    const { place, after } = row;
    const found = read(row);
    if ('content' in found) {
      hasColumn = true;
      yield { content: found.content, place, after };
      continue;
    }
    const { problem } = found;
    if (invalid === 'refuse') throw refuse(row, found, { column, purpose });
    if (problem === 'no such column') without ??= row;
    else hasColumn ||= problem === 'null' || problem === 'empty';
    onSkipped?.({ place, problem });
  }
  // Not a row is broken then, but the name of the column.
  if (without !== undefined && !hasColumn) {
    throw refuse(without, { problem: 'no such column' }, { column, purpose });
  }
}

function refuse(
  row: Row,
  { problem, at }: ContentProblem,
  { column, purpose }: { readonly column: string | undefined; readonly purpose: RowPurpose },
): FuseMeshError {
  const there = at === undefined ? '' : ` in its "${at}"`;
  const named = at === undefined ? '' : ` in "${at}"`;
  const says: Readonly<Record<RowProblem, string>> = {
    'not UTF-8': 'is not UTF-8 text: convert the file, for example with "iconv -f LATIN1 -t UTF-8"',
    'not JSON': 'is not JSON: put one object on each line',
    'no object': `is no object: make it {"${column ?? 'text'}": "…"}`,
    'no such column': `has no ${column === undefined ? formatKeys[purpose] : `"${column}"`}; it has ${keysOf(row)}: set column to what holds the text or the messages`,
    null: `is null${named}: give it a text`,
    'no string': `has no string${there}: make it one`,
    'half a character': `has half of a surrogate pair${there} (an escape from \\ud800 to \\udfff that stands alone), which is no character: write the whole pair`,
    empty: `is empty${named}: give it a text`,
    'no messages': `has no messages${there}: make it [{"role": "user", "content": "…"}, …]`,
    'no role': `has no role${there}: give it "user", "assistant" or "system"`,
    'no content': `has no content of text${there}: give it one`,
    'no tools': 'has no list in its "tools": make it an array of JSON schemas, or that as a string',
    'own settings for its template':
      'has chat_template_kwargs, which are not taken: leave them out, and name a template that needs none with chatTemplate',
    'a number that would be another': `has the number ${at}, which templates would write as ${Number(at)}: write it so, or as a string`,
    'not of one kind':
      'has a prompt and a completion of two kinds: make both strings, or both lists of messages',
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
