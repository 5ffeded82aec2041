import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A package in package-lock.json, as far as we look at it. */
interface LockedPackage {
  readonly dev?: boolean;
}

/** The project's own files, those that git does not ignore, relative to its root. */
export async function projectFiles(root: string): Promise<string[]> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', list, { cwd: root, maxBuffer: 2 ** 26 });
  return stdout.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
}

/** A development package that `npm run cuda` needs, which finds the CUDA libraries of the machine. */
const needed = 'node_modules/fflate';

/** Folders of the packages that run in production, as far as they are installed, relative to the root. */
export async function productionPackages(root: string): Promise<string[]> {
  const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lock) as { packages: Readonly<Record<string, LockedPackage>> };
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && (!dev || path === needed) && existsSync(join(root, path)))
    .map(([path]) => path);
}

/** Folders of ONNX Runtime's libraries for machines of other kinds than this, relative to the root. */
export async function otherMachines(root: string): Promise<string[]> {
  const libraries = 'node_modules/onnxruntime-node/bin';
  const folders = await readdir(join(root, libraries), { recursive: true, withFileTypes: true });
  const ours = `${process.platform}/${process.arch}`;
  return folders
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => /\/napi-v\d+\/[^/]+\/[^/]+$/.test(path) && !path.endsWith(ours));
}

/** Folders with shared libraries in a folder, itself among them, relative to it. */
export async function libraryFolders(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const folders = entries
    .filter(({ name }) => /\.so(\.|$)/.test(name))
    .map(({ parentPath }) => parentPath.slice(directory.length + 1));
  return [...new Set(folders)];
}
