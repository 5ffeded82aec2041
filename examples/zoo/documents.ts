import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Domain } from './layout.ts';
import { fetchSource, fictionSource, manualsSource, speechesSource } from './sources.ts';

/** The texts of a domain, each a whole speech, chapter or manual page, in a fixed order. */
export async function readDocuments(domain: Domain): Promise<string[]> {
  switch (domain) {
    case 'speeches': {
      const directory = await fetchSource(speechesSource);
      return (await readTextFiles(join(directory, 'data'), /\.txt$/)).map(cleanProse);
    }
    case 'fiction': {
      const directory = await fetchSource(fictionSource);
      return (await readTextFiles(join(directory, 'data'), /^chapter_\d+\.txt$/)).map(cleanProse);
    }
    case 'manuals': {
      const directory = await fetchSource(manualsSource);
      const pages = await readTextFiles(join(directory, 'docs', 'content'), /\.md$/);
      return withoutRepetition(pages.map(cleanManual));
    }
  }
}

/** The matching files of a directory and its subfolders, in the order of their paths, numbers by value. */
export async function readTextFiles(directory: string, name: RegExp): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort(new Intl.Collator('en', { numeric: true }).compare);
  return Promise.all(paths.map((path) => readFile(path, 'utf8')));
}

/** Turns each run of blanks, left where the source lost its line breaks, into one space. */
function cleanProse(text: string): string {
  return text
    .replaceAll('\r', '')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ ?\n ?/g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

/** Without front matter, and without the list of options that every command repeats from the same table. */
export function cleanManual(page: string): string {
  return page
    .replaceAll('\r', '')
    .replace(/^---\n.*?\n---\n/s, '')
    .replace(/^### Configuration\n.*?(?=^### |$(?![\s\S]))/ms, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

/** Keeps only the first copy of a long paragraph, so that held-out text occurs nowhere else. */
function withoutRepetition(pages: readonly string[]): string[] {
  const seen = new Set<string>();
  return pages.map((page) =>
    page
      .split('\n\n')
      .filter((paragraph) => {
        if (paragraph.length < 60) return true;
        const fresh = !seen.has(paragraph);
        seen.add(paragraph);
        return fresh;
      })
      .join('\n\n'),
  );
}
