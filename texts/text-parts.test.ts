import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { readFileTexts } from './read-texts.ts';
import type { RowPosition } from './row.ts';
import { partBytes } from './text-parts.ts';

async function read(name: string, content: string | Uint8Array) {
  const file = join(await temporaryDirectory(), name);
  await writeFile(file, content);
  const rows: { text: string; after: RowPosition }[] = [];
  for await (const { content, after } of readFileTexts(file, {})) rows.push({ text: String(content), after });
  return { file, rows, texts: rows.map(({ text }) => text) };
}

/** Paragraphs of characters that have one to four bytes. */
const paragraphs = Array.from({ length: 80_000 }, (_, i) => `${i} não é 日本語, nor 👩‍🚀. Ice floes.\n\n`);
const large = paragraphs.join('');

describe('a large file of plain text', () => {
  it('is read in parts of whole paragraphs, and goes on behind each', async () => {
    for (const [name, content] of [
      ['large.txt', `\ufeff${large}`],
      ['large.txt.gz', gzipSync(large)],
    ] as const) {
      const { file, rows, texts } = await read(name, content);
      expect(texts.length).toBeGreaterThan(1);
      expect(texts.join('')).toBe(large);
      for (const text of texts) {
        expect(Buffer.byteLength(text)).toBeLessThan(2 * partBytes);
        expect(text).toMatch(/^\d+ não/);
        expect(text.endsWith('floes.\n\n')).toBe(true);
      }
      for (const [i, { after }] of rows.entries()) {
        const rest: string[] = [];
        for await (const { content } of readFileTexts(file, {}, { from: after })) rest.push(String(content));
        expect(rest).toEqual(texts.slice(i + 1));
      }
    }
  });

  it('keeps characters whole where there is no place to cut', async () => {
    const { texts } = await read('one-line.txt', '日本'.repeat(partBytes));
    expect(texts.length).toBeGreaterThan(1);
    expect(texts.join('')).toBe('日本'.repeat(partBytes));
  });

  it('is refused by place where it is no UTF-8', async () => {
    const bytes = Buffer.from(large);
    bytes[bytes.length - 5] = 0xe9;
    await expect(read('latin1.txt', bytes)).rejects.toMatchObject({
      message: expect.stringMatching(/latin1\.txt, from byte \d+ is not UTF-8/),
    });
  });
});

it('a small file of plain text is one text, and an empty one none that is good', async () => {
  const { texts, rows, file } = await read('small.txt', '\ufeffOne.\n\nTwo.');
  expect(texts).toEqual(['One.\n\nTwo.']);
  expect(rows[0].after).toEqual({ rows: 1, bytes: 13 });
  for await (const row of readFileTexts(file, {}, { from: rows[0].after })) expect(row).toBeUndefined();
  await expect(read('empty.txt', '')).rejects.toThrow('empty.txt is empty');
});
