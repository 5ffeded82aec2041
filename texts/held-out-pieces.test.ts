import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ContentEncoder } from '../model/chat/content-encoder.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { zooEncoder } from '../test/support/zoo-encoder.ts';
import { type HeldOutReader, heldOutPieces } from './held-out-pieces.ts';
import type { SkippedRow, TextEntry } from './read-texts.ts';

const reader = async (name: string): Promise<HeldOutReader> => ({ name, encoder: await zooEncoder(name) });

/** The orator's tokenizer, with white space at both ends of a text left out. */
async function stripping(): Promise<HeldOutReader> {
  const path = join(import.meta.dirname, '../examples/zoo/orator/tokenizer.json');
  const json = JSON.parse(await readFile(path, 'utf8'));
  json.normalizer = { type: 'Strip', strip_left: true, strip_right: true };
  const tokenizer = Tokenizer.fromJson(JSON.stringify(json), 'stripping');
  return { name: 'stripping', encoder: ContentEncoder.ofBaseModel(tokenizer) };
}

async function read(rows: readonly unknown[], entry: Partial<TextEntry> = {}, contextLength = 32) {
  const path = join(await temporaryDirectory(), 'rows.jsonl');
  await writeFile(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  const skipped: SkippedRow[] = [];
  const readers = [await reader('orator'), await stripping()];
  const pieces = await heldOutPieces(
    [{ domain: 'rows', path, ...entry }],
    { readers, contextLength },
    (row) => skipped.push(row),
  );
  return { pieces, skipped };
}

it('cuts texts for all tokenizers together, each piece under the label of its text', async () => {
  const directory = await temporaryDirectory();
  const texts = {
    sea: 'Call me Ishmael. Some years ago I went to sea. '.repeat(20),
    manual: 'cut - remove sections. ',
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(directory, `${name}.txt`), text);
  const readers = await Promise.all(['orator', 'novelist'].map(reader));
  const entries = Object.keys(texts).map((name) => ({ domain: name, path: join(directory, `${name}.txt`) }));
  const pieces = await heldOutPieces(entries, { readers, contextLength: 32 }, () => undefined);
  expect(pieces.length).toBeGreaterThan(5);
  for (const [name, text] of Object.entries(texts)) {
    const own = pieces.filter(({ domain }) => domain === name);
    expect(own.map(({ content }) => content).join('')).toBe(text);
  }
  for (const { encoder } of readers) {
    const cut = await encoder.encodeBatch(pieces.map(({ content }) => content));
    expect(Math.max(...cut.map(({ ids }) => ids.length))).toBeLessThanOrEqual(32);
  }
});

describe('texts of which a tokenizer leaves nothing', () => {
  const rows = [{ text: 'The state of the Union.' }, { text: '  \n\t ' }];

  it('are refused by file and line, with the model', async () => {
    await expect(read(rows)).rejects.toThrow(/rows\.jsonl:2 is nothing to stripping, .*"invalid: skip"/);
  });

  it('are left out and told where the run file says so', async () => {
    const { pieces, skipped } = await read(rows, { invalid: 'skip' });
    expect(pieces).toEqual([{ domain: 'rows', content: rows[0].text }]);
    const place = expect.stringMatching(/rows\.jsonl:2$/);
    expect(skipped).toEqual([{ place, problem: 'nothing after normalising' }]);
  });

  it('are left out as pieces of a text that has others', async () => {
    const { pieces, skipped } = await read([{ text: `Fellow citizens.${'\n'.repeat(60)}` }], {}, 8);
    const contents = pieces.map(({ content }) => content);
    expect(contents.join('').trimEnd()).toBe('Fellow citizens.');
    expect(contents.every((content) => String(content).trim() !== '')).toBe(true);
    expect(skipped.length).toBeGreaterThan(0);
  });
});

it('refuses a domain of which a model predicts nothing, with the first of its texts', async () => {
  await expect(read([{ text: 'a' }, { text: 'b' }])).rejects.toThrow(
    /held-out texts of rows, the first of which is .*rows\.jsonl:1, have no token that orator predicts/,
  );
});
