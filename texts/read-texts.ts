import { constants } from 'node:buffer';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { readJsonLines } from './json-lines.ts';

/** Where texts are, and their label. */
export interface TextEntry {
  readonly domain: string;
  /** A .txt or .jsonl file, or a directory of them. */
  readonly path: string;
}

/** A whole text of a corpus. */
export interface LabelledText {
  readonly domain: string;
  readonly text: string;
}

/**
 * The texts of a corpus. A .txt file is one text; a .jsonl file has one on each line ({"text": "…"}); a directory
 * stands for all such files in it and its subfolders, by name; links are followed, as the Hugging Face hub's cache is
 * made of them. Empty texts are left out.
 *
 * @throws FuseMeshError not_found for a missing path, invalid_argument for a file that is not text
 */
export async function* readTexts(entries: readonly TextEntry[]): AsyncGenerator<LabelledText> {
  for (const { domain, path } of entries) {
    for (const file of await findTextFiles(path)) {
      for await (const text of readFileTexts(file)) {
        if (text !== '') yield { domain, text };
      }
    }
  }
}

/**
 * The files that an entry stands for.
 *
 * @throws FuseMeshError not_found, invalid_argument as {@link readTexts}
 */
export async function findTextFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new FuseMeshError('not_found', `No text at ${path}: correct the path.`, { cause });
  });
  if (!found.isDirectory()) {
    if (isTextFile(path)) return [path];
    throw new FuseMeshError('invalid_argument', `${path} is neither .txt nor .jsonl: convert or rename it.`);
  }
  const files: string[] = [];
  await gatherTextFiles(path, new Set(), files);
  if (files.length === 0) {
    throw new FuseMeshError(
      'not_found',
      `The directory ${path} holds no .txt or .jsonl file: correct the path.`,
    );
  }
  // By code units, so that every machine has the same order.
  return files.sort((a, b) => (a < b ? -1 : 1));
}

/**
 * @param above real paths of this directory's parents: one that a link leads back to is not entered again
 * @param files added to
 */
async function gatherTextFiles(
  directory: string,
  above: ReadonlySet<string>,
  files: string[],
): Promise<void> {
  const real = await realpath(directory);
  if (above.has(real)) return;
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const found = await stat(path).catch((cause: unknown) => {
      if (!isTextFile(name)) return undefined;
      throw new FuseMeshError('not_found', `${path} is a link to nothing: download it again, or remove it.`, {
        cause,
      });
    });
    if (found?.isDirectory()) await gatherTextFiles(path, new Set([...above, real]), files);
    else if (found?.isFile() && isTextFile(name)) files.push(path);
  }
}

function isTextFile(name: string): boolean {
  return ['.txt', '.jsonl'].includes(extname(name).toLowerCase());
}

async function* readFileTexts(file: string): AsyncGenerator<string> {
  if (extname(file).toLowerCase() === '.jsonl') yield* readTextLines(file);
  else yield await readWhole(file);
}

async function readWhole(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > constants.MAX_STRING_LENGTH) {
    throw new FuseMeshError(
      'invalid_argument',
      `${file} has ${size} bytes, more than a text can have: split it, or make it .jsonl.`,
    );
  }
  const bytes = await readFile(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FuseMeshError('invalid_argument', `${file} is not UTF-8 text: convert it.`, { cause });
  }
}

async function* readTextLines(file: string): AsyncGenerator<string> {
  for await (const { value, place } of readJsonLines(file)) yield textOfLine(value, place);
}

function textOfLine(value: unknown, place: string): string {
  if (typeof value !== 'object' || value === null || !('text' in value) || typeof value.text !== 'string') {
    throw new FuseMeshError(
      'invalid_argument',
      `${place} has no "text" of type string: put {"text": "…"} on each line.`,
    );
  }
  if (!value.text.isWellFormed()) {
    throw new FuseMeshError(
      'invalid_argument',
      `${place} has half of a surrogate pair in its "text" (an escape from \\ud800 to \\udfff that stands alone), which is no character: write the whole pair, or leave it out.`,
    );
  }
  return value.text;
}
