import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Buildah } from './buildah.ts';

/** Folders of this machine that a process sees, by their path in the container. */
export interface Mounts {
  readonly readable?: Readonly<Record<string, string>>;
  readonly writable?: Readonly<Record<string, string>>;
  /** Whether it has a /tmp of its own that it can write to. */
  readonly temporary?: boolean;
}

/** A process that runs in the container. */
export interface Contained {
  readonly process: ChildProcess;
  /** What it has printed so far, stderr too. */
  said(): string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/**
 * Mounts what the process is to see, then becomes it. Nothing forks: signals and exit codes are the process's own.
 * $1 is the root; the other mounts come as lines "ro|rw FROM TO" on stdin.
 */
const script = `
root=$1; shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,ro "$root/dev"
while read -r how from to; do
  case $how in
    tmp) mount -t tmpfs -o mode=1777 tmpfs "$root$to" ;;
    *) mount --bind "$from" "$root$to"; [ "$how" = rw ] || mount -o remount,bind,ro "$root$to" ;;
  esac
done
mount -o remount,bind,ro "$root"
exec <"$root/dev/null"
exec chroot "$root" setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
`;

/** A container's files, and processes in them as the image starts them. */
export class Container {
  readonly root: string;
  readonly #environment: readonly string[];
  readonly #folder: string;
  readonly #entrypoint: readonly string[];

  private constructor(root: string, config: { Env: string[]; WorkingDir: string; Entrypoint: string[] }) {
    this.root = root;
    this.#environment = config.Env;
    this.#folder = config.WorkingDir;
    this.#entrypoint = config.Entrypoint;
  }

  static async of(buildah: Buildah, image: string): Promise<Container> {
    const { root } = await buildah.open(image);
    const { OCIv1 } = JSON.parse(await buildah.run(['inspect', '--type', 'image', image]));
    return new Container(root, OCIv1.config);
  }

  /**
   * Starts a command of FuseMesh as user 1000, without capabilities, where all is read-only but for `writable`. The network is
   * that of this machine.
   */
  async start(
    parameters: readonly string[],
    { readable = {}, writable = {}, temporary = false }: Mounts = {},
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Contained> {
    const lines = [
      ...Object.entries(readable).map(([to, from]) => `ro ${from} ${to}`),
      ...Object.entries(writable).map(([to, from]) => `rw ${from} ${to}`),
      ...(temporary ? ['tmp - /tmp'] : []),
    ];
    for (const to of Object.keys({ ...readable, ...writable })) {
      await mkdir(join(this.root, to), { recursive: true });
    }
    const environment = [
      ...this.#environment,
      'HOME=/var/lib/fusemesh',
      ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    ];
    const child = spawn(
      'unshare',
      [
        ...['--mount', '--propagation', 'private', 'sh', '-euc', script, 'sh', this.root],
        ...['env', '--ignore-environment', `--chdir=${this.#folder}`, ...environment],
        ...[...this.#entrypoint, ...parameters],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    child.stdin.end(lines.map((line) => `${line}\n`).join(''));
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal!));
    });
    return { process: child, said: () => said, ended };
  }
}

/** What the kernel says a process may do: empty where that is nothing. */
export async function powersOf(pid: number): Promise<string[]> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mounts = await readFile(`/proc/${pid}/mountinfo`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '';
  const root = mounts.split('\n').find((line) => line.split(' ')[4] === '/');
  return [
    ...(/^1000\t1000\t1000\t1000$/.test(field('Uid')) ? [] : [`user ${field('Uid')}`]),
    ...['CapEff', 'CapPrm', 'CapBnd', 'CapInh']
      .filter((set) => !/^0+$/.test(field(set)))
      .map((set) => `${set} ${field(set)}`),
    ...(field('NoNewPrivs') === '1' ? [] : ['new privileges']),
    ...(root?.split(' ')[5].split(',').includes('ro') ? [] : ['a writable root']),
  ];
}
