import { constants } from 'node:buffer';
import { readdir, readFile, stat } from 'node:fs/promises';
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
 * stands for all such files in it and its subfolders, by name. Empty texts are left out.
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
  const below = await readdir(path, { recursive: true, withFileTypes: true });
  const files = below.filter((entry) => entry.isFile() && isTextFile(entry.name));
  if (files.length === 0) {
    throw new FuseMeshError(
      'not_found',
      `The directory ${path} holds no .txt or .jsonl file: correct the path.`,
    );
  }
  // By code units, so that every machine has the same order.
  return files.map((entry) => join(entry.parentPath, entry.name)).sort((a, b) => (a < b ? -1 : 1));
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
  // JSON may hold half a surrogate pair, which is no valid text and is replaced here.
  return Buffer.from(value.text).toString();
}
