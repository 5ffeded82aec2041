import type { RowPurpose } from './row-format.ts';

/** What may be wrong with one row of a file of texts, while the rest of the file is fine. */
export type RowProblem =
  | 'not UTF-8'
  | 'not JSON'
  | 'no object'
  | 'no such column'
  | 'null'
  | 'no string'
  | 'half a character'
  | 'empty'
  | 'no messages'
  | 'no role'
  | 'no content'
  | 'no tools'
  | 'own settings for its template'
  | 'not of one kind'
  | 'a number that would be another';

/** Why a conversation, a text, or a part of one becomes no document. */
export type CutProblem =
  | 'refused by a chat template'
  | 'nothing learnt'
  | 'too long'
  | 'nothing after normalising';

/** Where to go on in a file. */
export interface RowPosition {
  /** Rows before it. */
  readonly rows: number;
  /** Bytes before it, counted after decompression; 0 in a parquet file. */
  readonly bytes: number;
}

export const beginning: RowPosition = { rows: 0, bytes: 0 };

/** One row of a file: its value as the file has it, or why it has none. */
export type Row = {
  /** What to call it in a message: FILE:LINE, or "FILE, row 3". */
  readonly place: string;
  /** Where the rows after it begin. */
  readonly after: RowPosition;
} & (
  | {
      readonly value: unknown;
      /** What the value was read from; undefined where that is no JSON. */
      readonly json?: string;
    }
  | { readonly problem: RowProblem }
);

export interface RowOptions {
  /** The column that holds the content; left out, it is found by its name (row-format.ts). */
  readonly column: string | undefined;
  /** Texts, where it is left out. */
  readonly purpose?: RowPurpose | undefined;
  readonly from: RowPosition;
  /** Called with how many bytes of the file, as it is on disk, were read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/** Strict: a byte that is no UTF-8 would be trained on as U+FFFD. Keeps a byte order mark. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined where the bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The value of a JSON text, or what is wrong with it. */
export function jsonValue(bytes: Uint8Array): { value: unknown; json: string } | { problem: RowProblem } {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { problem: 'not UTF-8' };
  try {
    return { value: JSON.parse(text), json: text };
  } catch {
    return { problem: 'not JSON' };
  }
}
