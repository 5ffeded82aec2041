import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { createGzip } from 'node:zlib';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { type CudaBuild, cudaBuildFolder, readCudaBuild } from '../../../model/runtime/cuda-build.ts';
import { findNatsServer } from '../../../wire/nats/find-nats-server.ts';
import { libraryFolders, otherMachines, productionPackages, projectFiles } from './packed-files.ts';
import { type Piece, writePieces } from './pieces.ts';

const root = resolve(import.meta.dirname, '..', '..', '..');
const mostBytesOfAPiece = 60e6;

/** What goes into one archive. */
interface Contents {
  readonly name: string;
  /** The folder that the paths are relative to. */
  readonly from: string;
  readonly paths: readonly string[];
  /** Where they come to lie, relative to the folder of the proof. */
  readonly into: string;
  readonly without?: readonly string[];
}

/**
 * Writes all that the proof needs on a machine like this one but without network into pieces, with `unpack.sh`, which
 * puts them together there.
 *
 * @param directory a new or empty folder
 * @param libraries folders of libraries that that machine lacks
 * @throws FuseMeshError failed_precondition when tar fails, or as {@link findNatsServer}
 */
export async function writePack(
  directory: string,
  libraries: readonly string[],
  tell: (line: string) => void,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const staging = await mkdtemp(join(tmpdir(), 'fusemesh-pack-'));
  try {
    const added = await Promise.all(libraries.map(addedLibraries));
    const build = readCudaBuild();
    await stagePrograms(staging, { build, added });
    const archives: Contents[] = [
      {
        name: 'project',
        from: root,
        paths: [...(await projectFiles(root)), ...(await productionPackages(root))],
        into: '.',
        without: await otherMachines(root),
      },
      { name: 'programs', from: staging, paths: ['.pack', 'prove-gpu.sh'], into: '.' },
      ...(build ? [{ name: 'cuda', from: root, paths: [relative(root, cudaBuildFolder)], into: '.' }] : []),
      ...added.map(({ from, into }) => ({ name: basename(into), from, paths: ['.'], into })),
    ];
    const pieces: Piece[] = [];
    for (const archive of archives) {
      const ofArchive = await writeArchive(archive, directory);
      tell(`${archive.name}: ${ofArchive.length} pieces`);
      pieces.push(...ofArchive);
    }
    const lines = (of: readonly string[]) => of.map((line) => `${line}\n`).join('');
    await writeFile(join(directory, 'ARCHIVES'), lines(archives.map(({ name, into }) => `${name} ${into}`)));
    await writeFile(
      join(directory, 'SHA256SUMS'),
      lines(pieces.map(({ name, sha256 }) => `${sha256}  ${name}`)),
    );
    await copyFile(join(import.meta.dirname, 'unpack.sh'), join(directory, 'unpack.sh'));
    tell(`Carry ${directory} to the machine and run there: sh unpack.sh`);
  } finally {
    await rm(staging, { recursive: true });
  }
}

async function addedLibraries(given: string, number: number) {
  const from = resolve(given);
  const into = `.pack/libraries-${number + 1}`;
  const folders = await libraryFolders(from).catch((cause: unknown) => {
    throw new FuseMeshError('not_found', `--with ${given}: there is no such folder`, { cause });
  });
  return { from, into, folders: folders.map((folder) => join(into, folder)) };
}

/** What is no file of the project: Node, nats-server, and what `prove-gpu.sh` reads. */
async function stagePrograms(
  staging: string,
  {
    build,
    added,
  }: {
    readonly build: CudaBuild | undefined;
    readonly added: readonly { readonly folders: readonly string[] }[];
  },
): Promise<void> {
  const programs = join(staging, '.pack', 'bin');
  await mkdir(programs, { recursive: true });
  await copyFile(process.execPath, join(programs, 'node'));
  await copyFile(await findNatsServer(process.env), join(programs, 'nats-server'));
  const folders = added.flatMap(({ folders }) => folders.map((folder) => `${folder}\n`));
  await writeFile(join(staging, '.pack', 'library-folders'), folders.join(''));
  if (build) await writeFile(join(staging, '.pack', 'cuda'), `${build.cuda}\n`);
  await copyFile(join(import.meta.dirname, 'prove-gpu.sh'), join(staging, 'prove-gpu.sh'));
}

async function writeArchive(
  { name, from, paths, without = [] }: Contents,
  directory: string,
): Promise<Piece[]> {
  const excluded = without.map((path) => `--exclude=${path}`);
  const tar = spawn('tar', ['-cf', '-', '-C', from, ...excluded, '--null', '-T', '-'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(tar, 'close');
  tar.stdin.end(paths.map((path) => `${path}\0`).join(''));
  const pieces = await writePieces(
    tar.stdout.pipe(createGzip()),
    directory,
    `${name}.tar.gz`,
    mostBytesOfAPiece,
  );
  const [code] = await ended;
  if (code !== 0) throw new FuseMeshError('failed_precondition', `tar ended with ${code} at ${name}`);
  return pieces;
}
