import { access, constants, stat } from 'node:fs/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { findTextFiles } from '../../texts/find-text-files.ts';
import { readTexts, type TextEntry } from '../../texts/read-texts.ts';
import { byteSize } from '../view/words.ts';
import { type Finding, ok } from './finding.ts';

/**
 * Looks at every file of these texts, and reads the first text of each entry.
 *
 * @param key of the run file that names them
 * @throws FuseMeshError not_found when one is missing, invalid_argument when one is no text or has none
 */
export async function checkTexts(key: string, entries: readonly TextEntry[]): Promise<readonly Finding[]> {
  let files = 0;
  let bytes = 0;
  let others = 0;
  for (const entry of entries) {
    const found = await findTextFiles(entry.path);
    others += found.skipped.length;
    for (const file of found.files) {
      await expectReadable(key, file);
      files++;
      bytes += (await stat(file)).size;
    }
    if (!(await hasText(entry))) {
      throw new FuseMeshError(
        'invalid_argument',
        `${key}: there is no text in ${entry.path}: correct the path, or leave it out`,
      );
    }
  }
  const skipped = others === 0 ? '' : `; ${others} other files beside them are left out`;
  return [ok(key, `${files} ${files === 1 ? 'file' : 'files'}, ${byteSize(bytes)}${skipped}`)];
}

async function expectReadable(key: string, file: string): Promise<void> {
  await access(file, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
    throw new FuseMeshError(
      'permission_denied',
      `${key}: cannot read ${file} (${cause.code}): correct its permissions`,
      { cause },
    );
  });
}

async function hasText(entry: TextEntry): Promise<boolean> {
  for await (const _ of readTexts([entry])) return true;
  return false;
}
