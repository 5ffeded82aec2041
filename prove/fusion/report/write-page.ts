import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { repository } from '../directories.ts';

/** @param files by their paths below docs/ */
export async function writePage(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, content] of files) {
    const path = join(repository, 'docs', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    console.log(`docs/${name} is written`);
  }
}
