import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { repository } from '../directories.ts';

/** What was written by hand for the page; undefined where there is nothing. */
export const readRemarks = (): Promise<string | undefined> =>
  readFile(join(repository, 'prove', 'fusion', 'remarks.md'), 'utf8').catch(() => undefined);

/** @param files by their paths below docs/ */
export async function writePage(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, content] of files) {
    const path = join(repository, 'docs', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    console.log(`docs/${name} is written`);
  }
}
