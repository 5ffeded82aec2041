import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const majors = [13, 12] as const;

/** A major version of CUDA for which there is an ONNX Runtime. */
export type CudaMajor = (typeof majors)[number];

/** What is on this machine of NVIDIA's CUDA. */
export interface CudaHere {
  /** Newest CUDA that the driver supports: "13.0"; undefined where no driver says so. */
  readonly driver: string | undefined;
  /** Of each known library that is there: its file. */
  readonly libraries: ReadonlyMap<string, CudaLibrary>;
}

interface CudaLibrary {
  readonly path: string;
  /** Whether the dynamic linker finds it by its name alone. */
  readonly isLinked: boolean;
}

/** The driver's own library; it comes with the driver, not with CUDA. */
const driverLibrary = 'libcuda.so.1';

/** What ONNX Runtime's CUDA provider loads, each after those that it needs itself. */
const needed = (major: CudaMajor): readonly string[] => [
  `libcudart.so.${major}`,
  `libnvrtc.so.${major}`,
  `libcublasLt.so.${major}`,
  `libcublas.so.${major}`,
  'libcurand.so.10',
  'libcudnn.so.9',
];

const known = new Set([driverLibrary, ...majors.flatMap(needed)]);

/** Looks for the driver and the CUDA libraries in every place where they are installed to. */
export async function findCuda(environment: NodeJS.ProcessEnv = process.env): Promise<CudaHere> {
  const libraries = new Map<string, CudaLibrary>();
  const add = (name: string, path: string, isLinked: boolean) => {
    if (known.has(name) && !libraries.has(name)) libraries.set(name, { path, isLinked });
  };
  const addFolders = async (folders: readonly string[], isLinked: boolean) => {
    for (const folder of folders) {
      for (const name of await namesIn(folder)) add(name, join(folder, name), isLinked);
    }
  };
  await addFolders((environment['LD_LIBRARY_PATH'] ?? '').split(delimiter).filter(Boolean), true);
  for (const [name, path] of parseLinkerCache(await output('ldconfig', ['-p'], environment))) {
    add(name, path, true);
  }
  await addFolders([...(await pythonFolders(environment)), ...(await toolkitFolders())], false);
  return { driver: parseDriver(await output('nvidia-smi', [], environment)), libraries };
}

/** Whether there is a driver, even one that does not say what it supports. */
export const hasDriver = ({ driver, libraries }: CudaHere): boolean =>
  driver !== undefined || libraries.has(driverLibrary);

/** Whether the driver can run programs of this CUDA; one that does not say so is taken to. */
export const driverSupports = ({ driver }: CudaHere, major: CudaMajor): boolean =>
  driver === undefined || Number.parseInt(driver, 10) >= major;

/** Libraries of this CUDA that are not on this machine. */
export const missingLibraries = ({ libraries }: CudaHere, major: CudaMajor): string[] =>
  needed(major).filter((name) => !libraries.has(name));

/** Files of this CUDA's libraries that the dynamic linker would not find, in the order to load them. */
export const librariesToPreload = ({ libraries }: CudaHere, major: CudaMajor): string[] =>
  needed(major).flatMap((name) => {
    const library = libraries.get(name);
    return library === undefined || library.isLinked ? [] : [library.path];
  });

/** The CUDA whose libraries are all there and which the driver supports; the newer one of two. */
export const usableCuda = (here: CudaHere): CudaMajor | undefined =>
  majors.find((major) => driverSupports(here, major) && missingLibraries(here, major).length === 0);

/** The newest CUDA for which the driver is new enough, if any. */
export const wantedCuda = (here: CudaHere): CudaMajor | undefined =>
  majors.find((major) => driverSupports(here, major));

/** @param table what `nvidia-smi` prints without arguments */
export function parseDriver(table: string): string | undefined {
  return /CUDA (?:\w+ )?Version\s*:\s*(\d+\.\d+)/.exec(table)?.[1];
}

/** @param cache what `ldconfig -p` prints: one library a line, those of other processors too */
export function parseLinkerCache(cache: string, architecture: string = process.arch): [string, string][] {
  const mark = { x64: 'x86-64', arm64: 'AArch64' }[architecture];
  return [...cache.matchAll(/^\s*(\S+) \(([^)]*)\) => (.+)$/gm)]
    .filter(([, , kind]) => mark !== undefined && kind.includes(mark))
    .map(([, name, , path]) => [name, path]);
}

/** Folders of NVIDIA's own installer and packages. */
async function toolkitFolders(): Promise<string[]> {
  const roots = (await namesIn('/usr/local')).filter((name) => /^cuda(-[\d.]+)?$/.test(name)).sort();
  return roots.flatMap((name) => ['lib64', 'lib'].map((folder) => join('/usr/local', name, folder)));
}

/** Folders of the packages nvidia-* of pip, and of conda. */
async function pythonFolders(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const paths = await output('python3', ['-c', 'import sys; print("\\n".join(sys.path))'], environment);
  const roots = paths.split('\n').filter(Boolean);
  const packages = await Promise.all(
    roots.map(async (root) => {
      const nvidia = join(root, 'nvidia');
      return (await namesIn(nvidia)).map((name) => join(nvidia, name, 'lib'));
    }),
  );
  const conda = environment['CONDA_PREFIX'];
  return [...packages.flat(), ...(conda ? [join(conda, 'lib')] : [])];
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

const answerWithin = 10_000;

/** What a program prints; nothing where it is missing or fails. */
async function output(
  program: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  // ldconfig stands where not every user's PATH leads.
  const PATH = [environment['PATH'], '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter);
  const options = { timeout: answerWithin, env: { ...environment, PATH } };
  return promisify(execFile)(program, parameters, options).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
