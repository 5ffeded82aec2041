import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

const project = resolve(import.meta.dirname, '../..');
const mostOutput = 64 * 1024 * 1024;

/** Stand-ins for the images that a Dockerfile begins with, by the argument that names each. */
export type Bases = Readonly<Record<'NODE' | 'DEBIAN', string>>;

/** What an image says of itself. */
export interface Described {
  /** All layers, unpacked. */
  readonly bytes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly user: string;
  readonly entrypoint: readonly string[];
}

/** Debian's buildah, with a store of its own. */
export class Buildah {
  readonly #store: readonly string[];

  /** @param directory of the store; it is given back by `remove` */
  constructor(directory: string) {
    this.#store = [
      ...['--root', resolve(directory, 'store')],
      ...['--runroot', resolve(directory, 'run')],
      ...['--storage-driver', 'vfs'],
    ];
  }

  /** @returns what it printed. @throws FuseMeshError internal where it fails */
  async run(parameters: readonly string[]): Promise<string> {
    const all = [...this.#store, ...parameters];
    try {
      const { stdout } = await promisify(execFile)('buildah', all, { cwd: project, maxBuffer: mostOutput });
      return stdout.trim();
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      const said = `${stdout ?? ''}${stderr ?? String(error)}`.trim().slice(-2_000);
      throw new FuseMeshError('internal', `buildah ${parameters[0]} failed: ${said}`);
    }
  }

  /** A container over an image, and the folder of its files. */
  async open(image: string): Promise<{ readonly name: string; readonly root: string }> {
    const name = await this.run(['from', '--pull-never', image]);
    return { name, root: await this.run(['mount', name]) };
  }

  /** Makes an image of a container, and takes the container away. */
  async commit(container: string, image: string): Promise<string> {
    await this.run(['commit', '--quiet', '--rm', container, image]);
    return image;
  }

  /** Builds deploy/Dockerfile. */
  async build(bases: Bases): Promise<string> {
    const image = 'localhost/fusemesh';
    const { stdout: revision } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: project });
    const values = { ...bases, REVISION: revision.trim() };
    await this.run([
      ...['bud', '--pull-never', '--isolation', 'chroot', '--tag', image],
      ...['--file', 'deploy/Dockerfile', '--ignorefile', 'deploy/Dockerfile.dockerignore'],
      ...Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
      '.',
    ]);
    return image;
  }

  async described(image: string): Promise<Described> {
    const { OCIv1 } = JSON.parse(await this.run(['inspect', '--type', 'image', image])) as {
      OCIv1: { config: { Labels: Record<string, string>; User: string; Entrypoint: string[] } };
    };
    const { Labels: labels, User: user, Entrypoint: entrypoint } = OCIv1.config;
    const [{ size }] = JSON.parse(await this.run(['images', '--json', image])) as { size: string }[];
    return { bytes: bytesOf(size), labels, user, entrypoint };
  }

  /** Unmounts and removes whatever it has. */
  async remove(): Promise<void> {
    await this.run(['rm', '--all']).catch(() => {});
    await this.run(['rmi', '--all', '--force']).catch(() => {});
  }
}

const units: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/** Of "291 MB". */
function bytesOf(size: string): number {
  const [number, unit] = size.split(' ');
  return Number(number) * units[unit.toUpperCase()];
}
