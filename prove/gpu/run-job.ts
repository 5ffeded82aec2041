import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Part, Row, Said } from './row.ts';

/** A process that says rows. */
export interface Job {
  readonly part: Part;
  readonly name: string;
  readonly command: readonly [program: string, ...parameters: string[]];
  /** How long it may take. */
  readonly seconds: number;
  /** Whether it is part of the proof that it works: rivals, and models too large for a card, may fail. */
  readonly mustWork: boolean;
}

const root = join(import.meta.dirname, '..', '..');
/** How much of what a process writes to stderr is kept, in characters. */
const tail = 4_000;
const longestReason = 300;

/**
 * Runs a job by itself, so that nothing that it does can end the proof. Where it fails or takes too long, the last row
 * says why.
 *
 * @param seconds how long it may take at most
 * @param directory for its temporary files, which the caller removes
 * @throws FuseMeshError cancelled where this process is asked to end
 */
export async function runJob(
  { part, name, command, mustWork }: Job,
  seconds: number,
  directory: string,
): Promise<Row[]> {
  const [program, ...parameters] = command;
  // A process group of its own, so that what it has started ends with it.
  const child = spawn(program, parameters, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, TMPDIR: directory },
  });
  const end = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  };
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    end();
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const rows: Row[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) rows.push({ part, name, ...(JSON.parse(line) as Said) });
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-tail);
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, seconds * 1000);
  const failure = await once(child, 'close').then(
    ([code, signal]: (number | string | null)[]) => {
      if (late) return `not done after ${Math.round(seconds)} s`;
      return code === 0 ? undefined : (reasonIn(errors) ?? `ended with ${signal ?? code}`);
    },
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? `not installed: ${program}` : error.message),
  );
  clearTimeout(timer);
  end();
  process.off('SIGINT', interrupt);
  process.off('SIGTERM', interrupt);
  if (interrupted) throw new FuseMeshError('cancelled', 'The proof was stopped.');
  if (failure !== undefined) rows.push({ part, name, note: failure, ...(mustWork ? { ok: false } : {}) });
  return rows;
}

/** The last line that a process wrote. */
function reasonIn(errors: string): string | undefined {
  return errors.trim().split('\n').at(-1)?.trim().slice(0, longestReason) || undefined;
}
