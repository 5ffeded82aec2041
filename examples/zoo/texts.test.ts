import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { cleanManual } from './documents.ts';
import { corpusPath, domains, heldOutPath } from './layout.ts';
import { sharedRuns } from './overlap.ts';
import { cutIntoPassages, divide } from './passages.ts';

describe.each(domains)('the texts of %s', (domain) => {
  test('are small, and nothing held out stands in the corpus', async () => {
    const corpus = await readFile(corpusPath(domain), 'utf8');
    const heldOut = await readFile(heldOutPath(domain), 'utf8');
    expect(Buffer.byteLength(corpus)).toBeLessThan(350_000);
    expect(Buffer.byteLength(heldOut)).toBeGreaterThan(10_000);
    expect(Buffer.byteLength(heldOut)).toBeLessThan(25_000);
    expect([...sharedRuns(heldOut, corpus)]).toEqual([]);
  });
});

test('passages hold the whole text', () => {
  const sentence = 'It was a long day, and the sea was calm. ';
  const text = `${sentence.repeat(300)}\n\n${sentence.repeat(2)}`;
  const passages = cutIntoPassages(text);
  expect(passages.length).toBeGreaterThan(2);
  expect(passages.join(' ').replaceAll(/\s+/g, ' ')).toBe(text.replaceAll(/\s+/g, ' ').trim());
});

test('what is held out is in no other part, what is in the corpus is trained on', () => {
  const documents = Array.from({ length: 60 }, (_, i) => `Document ${i}. ${`Word${i} `.repeat(1200)}`);
  const { training, corpus, heldOut } = divide(documents);
  const names = (text: string) => new Set(text.match(/Word\d+/g));
  for (const name of names(heldOut)) expect(names(training).has(name)).toBe(false);
  for (const name of names(corpus)) expect(names(training).has(name)).toBe(true);
  expect(names(heldOut).size).toBeGreaterThan(0);
});

test('a manual page loses its front matter and the repeated options', () => {
  const page =
    '---\ntitle: x\n---\n\n### Description\n\nWhat it does.\n\n### Configuration\n\n#### `a`\n\nlong\n\n### See Also\n\n* b\n';
  expect(cleanManual(page)).toBe('### Description\n\nWhat it does.\n\n### See Also\n\n* b');
  expect(cleanManual('### A\n\nb\n\n### Configuration\n\nc\n')).toBe('### A\n\nb');
});
