import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { folderOfGlob, globExpression, isGlob } from './glob.ts';
import { textEndings, textFormat } from './text-format.ts';

/** What a path of the run file stands for. */
export interface FoundFiles {
  /** In the order of their names' code units, the same on every machine. */
  readonly files: readonly string[];
  /** Files of a directory that hold no texts by their names; hidden ones are not counted. */
  readonly skipped: readonly string[];
}

/** Files about a dataset that lie beside its data, as the hub and `datasets` write them. */
const descriptions = /^(dataset_infos?|dataset_dict|state)\.json$/;
/** A data file of one split, as the hub names them: train-00000-of-00012.parquet. */
const fileOfSplit = /^(.+)-\d{5}-of-\d{5}\./;

/**
 * The files of texts that a path stands for: one file; a directory with its subfolders; or a pattern (`data/train-*`).
 * Links are followed, as the Hugging Face hub's cache is made of them.
 *
 * @throws FuseMeshError not_found where there is none, invalid_argument for a file of another kind, or a directory in
 *   which a data set has several splits
 */
export async function findTextFiles(path: string): Promise<FoundFiles> {
  const found = await stat(path).catch((cause: unknown) => {
    if (isGlob(path)) return undefined;
    throw new FuseMeshError('not_found', `No text at ${path}: correct the path.`, { cause });
  });
  if (found === undefined) return findMatches(path);
  if (!found.isDirectory()) {
    if (textFormat(path) !== undefined) return { files: [path], skipped: [] };
    throw new FuseMeshError('invalid_argument', `${path} is none of ${textEndings}: convert or rename it.`);
  }
  const inside = sortFound(await gatherFiles(path));
  if (inside.files.length === 0) {
    throw new FuseMeshError(
      'not_found',
      `The directory ${path} holds no file that is ${textEndings}: correct the path.`,
    );
  }
  refuseSeveralSplits(path, inside.files);
  return inside;
}

async function findMatches(pattern: string): Promise<FoundFiles> {
  const folder = folderOfGlob(pattern);
  const expression = globExpression(pattern);
  const isFolder = (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  const matches = (isFolder ? await gatherFiles(folder) : []).filter((file) => expression.test(file));
  const found = sortFound(matches);
  if (found.files.length > 0) return found;
  throw new FuseMeshError(
    'not_found',
    `No file that is ${textEndings} matches ${pattern}: correct the pattern.`,
  );
}

function sortFound(all: string[]): FoundFiles {
  const sorted = all.sort((a, b) => (a < b ? -1 : 1));
  return { files: sorted.filter(hasTexts), skipped: sorted.filter((file) => !hasTexts(file)) };
}

const hasTexts = (file: string): boolean =>
  textFormat(file) !== undefined && !descriptions.test(basename(file));

/** All files in a directory and its subfolders, hidden ones left out. */
async function gatherFiles(directory: string): Promise<string[]> {
  const files: string[] = [];
  await gather(directory, new Set(), files);
  return files;
}

/**
 * @param above real paths of this directory's parents: one that a link leads back to is not entered again
 * @param files added to
 */
async function gather(directory: string, above: ReadonlySet<string>, files: string[]): Promise<void> {
  const real = await realpath(directory);
  if (above.has(real)) return;
  for (const name of await readdir(directory)) {
    if (name.startsWith('.')) continue;
    const path = join(directory, name);
    const found = await stat(path).catch((cause: unknown) => {
      if (textFormat(name) === undefined) return undefined;
      throw new FuseMeshError('not_found', `${path} is a link to nothing: download it again, or remove it.`, {
        cause,
      });
    });
    if (found?.isDirectory()) await gather(path, new Set([...above, real]), files);
    else if (found?.isFile()) files.push(path);
  }
}

/** What is held back for testing must not be trained on because it lies beside the rest. */
function refuseSeveralSplits(directory: string, files: readonly string[]): void {
  const names = files.flatMap((file) => fileOfSplit.exec(basename(file))?.[1] ?? []);
  const splits = [...new Set(names)];
  if (splits.length <= 1) return;
  const example = files.find((file) => basename(file).startsWith(`${splits[0]}-`)) ?? directory;
  throw new FuseMeshError(
    'invalid_argument',
    `${directory} holds the splits ${splits.join(', ')}: name the files of those that are meant, for example ${join(example, '..', `${splits[0]}-*`)}`,
  );
}
