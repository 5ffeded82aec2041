import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { repository } from '../directories.ts';

/** What was written for the page beside its own figures, in a folder of prove; undefined where there is nothing. */
export const readWritten = (folder: string, name: string): Promise<string | undefined> =>
  readFile(join(repository, 'prove', folder, name), 'utf8').catch(() => undefined);

/** @param files by their paths below docs/ */
export async function writePage(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, content] of files) {
    const path = join(repository, 'docs', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    console.log(`docs/${name} is written`);
  }
}
