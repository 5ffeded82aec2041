import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/** Calls that reach another process or change the file system; a "?" allows for systems that lack the call. */
const calls =
  'connect,sendto,sendmsg,sendmmsg,openat,mkdirat,?open,?creat,?mkdir,?rename,?renameat,renameat2,?link,linkat,?symlink,symlinkat';

/** What makes strace write a program's calls, and those of its threads and children, to a file. */
export const straceInto = (file: string): string[] =>
  // -D: the program stays our own child, which gets the signals.
  [
    'strace',
    '-D',
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-y',
    '-e',
    'signal=none',
    '-e',
    `trace=${calls}`,
    '-o',
    file,
  ];

/** Why system calls cannot be seen here; undefined where they can. */
export function whyNoStrace(): string | undefined {
  const [program, ...parameters] = straceInto('/dev/null');
  const { error, status, stderr } = spawnSync(program, [...parameters, 'true'], { encoding: 'utf8' });
  if (error) return 'strace is not installed (apt-get install strace)';
  return status === 0 ? undefined : `strace cannot be used here: ${stderr.trim()}`;
}

/** What a program did, as far as others can notice it. */
export interface Traces {
  /** HOST:PORT or path of every socket that it connected to or sent to. */
  readonly reached: ReadonlySet<string>;
  /** Paths that it wrote to, made or renamed to, whether or not it succeeded. */
  readonly written: ReadonlySet<string>;
}

/** Reads what {@link straceInto} has written. All that is looked at are parameters, which stand in a call's first line. */
export async function readTraces(file: string): Promise<Traces> {
  const reached = new Set<string>();
  const written = new Set<string>();
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const [, name, parameters] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (/^(connect|send)/.test(name)) {
      const address = addressIn(parameters);
      if (address !== undefined) reached.add(address);
    } else if (!name.startsWith('open') || /\bO_(WRONLY|RDWR|CREAT)\b/.test(parameters)) {
      written.add(lastPathIn(parameters));
    }
  }
  return { reached, written };
}

function addressIn(parameters: string): string | undefined {
  const port = /sin6?_port=htons\((\d+)\)/.exec(parameters)?.[1];
  const host = /inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"/.exec(parameters)?.[1];
  return port ? `${host}:${port}` : /sun_path=@?"([^"]+)"/.exec(parameters)?.[1];
}

/** `dirfd</folder>, "name"` or `"path"`; the last of them is the one that comes into being. */
function lastPathIn(parameters: string): string {
  const [, folder = '/', path] = [...parameters.matchAll(/(?:<([^>]*)>, )?"([^"]*)"/g)].at(-1)!;
  return resolve(folder, path);
}
