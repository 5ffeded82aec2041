import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { autoSchemaElement, fileWriter, ParquetWriter } from 'hyparquet-writer';
import { uniformNumbers } from '../../numbers/random.ts';

const zooCorpus = join(import.meta.dirname, '../../examples/zoo/corpus');
/** As MiniPile's: most texts are short, some are long. */
const medianCharacters = 3_000;
const spread = 1.1;
const rowsOfGroup = 1_000;
const bytesOfFile = 256e6;

/** What stands in front of the text of a row, so that it is found again. */
export const tagOf = (row: number): string => `#${row.toString().padStart(9, '0')}# `;
export const tagPattern = /^#(\d{9})# /;

/**
 * Writes parquet files as the hub has them, with texts cut at random out of the zoo's.
 *
 * @returns how many rows, and bytes of UTF-8
 */
export async function writeSyntheticCorpus(
  directory: string,
  wantedBytes: number,
): Promise<{ readonly rows: number; readonly bytes: number }> {
  const names = ['speeches', 'fiction', 'manuals'];
  const texts = await Promise.all(names.map((name) => readFile(join(zooCorpus, `${name}.txt`), 'utf8')));
  const source = texts.join('\n');
  const uniform = uniformNumbers(1);
  const files = Math.ceil(wantedBytes / bytesOfFile);
  const schema = [{ name: 'root', num_children: 1 }, autoSchemaElement('text', [''])];
  let rows = 0;
  let bytes = 0;
  for (let file = 0; file < files; file++) {
    const name = `train-${String(file).padStart(5, '0')}-of-${String(files).padStart(5, '0')}.parquet`;
    const writer = new ParquetWriter({ writer: fileWriter(join(directory, name)), schema });
    while (bytes < (wantedBytes * (file + 1)) / files) {
      const data = Array.from({ length: rowsOfGroup }, () => tagOf(rows++) + slice(source, uniform));
      for (const text of data) bytes += Buffer.byteLength(text);
      await writer.write({ columnData: [{ name: 'text', data, type: 'STRING' }], rowGroupSize: rowsOfGroup });
    }
    await writer.finish();
  }
  return { rows, bytes };
}

function slice(source: string, uniform: () => number): string {
  // Box and Muller 1958.
  const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const length = Math.min(60_000, Math.ceil(medianCharacters * Math.exp(spread * normal)));
  const begin = Math.floor(uniform() * (source.length - length));
  return source.slice(begin, begin + length).toWellFormed();
}
