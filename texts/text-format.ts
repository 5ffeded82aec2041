import { basename } from 'node:path';

/** How a file of texts is written. */
export interface TextFormat {
  readonly rows: 'whole' | 'json lines' | 'json array' | 'parquet';
  readonly compression: 'none' | 'gzip' | 'zstd';
}

const rowsOfEnding: Readonly<Record<string, TextFormat['rows']>> = {
  txt: 'whole',
  jsonl: 'json lines',
  ndjson: 'json lines',
  json: 'json array',
  parquet: 'parquet',
};

const compressionOfEnding: Readonly<Record<string, TextFormat['compression']>> = { gz: 'gzip', zst: 'zstd' };

/** What the names of files of texts end in, for messages. */
export const textEndings = '.txt, .jsonl, .ndjson or .json (also .gz or .zst), or .parquet';

/** What a file's name says of its format; undefined for a file that has no texts. */
export function textFormat(path: string): TextFormat | undefined {
  const [last = '', before = ''] = basename(path).toLowerCase().split('.').slice(1).reverse();
  const compression = compressionOfEnding[last] ?? 'none';
  const rows = rowsOfEnding[compression === 'none' ? last : before];
  // A parquet file is compressed inside, and read from its end.
  if (rows === undefined || (rows === 'parquet' && compression !== 'none')) return undefined;
  return { rows, compression };
}
