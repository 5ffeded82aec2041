import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** A foreign program that runs beside this process and never outlives it. */
export interface KeptProgram {
  readonly pid: number;
  /** Resolves with its exit code when it has ended, for whatever reason. */
  readonly ended: Promise<number | null>;
  /** Undefined while it runs. */
  exitCode(): number | null | undefined;
  /** Asks it to end, kills it when it takes too long, and returns when it is gone. */
  stop(): Promise<void>;
}

const stopWithin = 10_000;

/**
 * Runs a program and ends it when our end of the pipe on its standard input closes, which it does however
 * this process dies. Prints the program's process id.
 */
const keeper = `
exec 3<&0
log=$0
"$@" 3<&- </dev/null >"$log" 2>&1 &
program=$!
echo "$program"
{ read -r _ <&3; kill "$program"; } >/dev/null 2>&1 &
exec >&-
wait "$program"`;

/**
 * Starts a program that dies with this process. Ctrl-C at the terminal reaches this process alone, so that it
 * can be ended in order.
 *
 * @param log file that gets what it writes
 * @throws FuseMeshError failed_precondition when there is no shell to run it
 */
export async function keepProgram(
  program: string,
  parameters: readonly string[],
  { log = '/dev/null' }: { readonly log?: string } = {},
): Promise<KeptProgram> {
  const child = spawn('/bin/sh', ['-c', keeper, log, program, ...parameters], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  let exitCode: number | null | undefined;
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      exitCode = code;
      resolve(code);
    });
  });
  const pid = await readPid(child, program);
  return {
    pid,
    ended,
    exitCode: () => exitCode,
    stop: async () => {
      if (exitCode !== undefined) return;
      child.stdin!.destroy();
      const late = setTimeout(() => process.kill(pid, 'SIGKILL'), stopWithin);
      await ended;
      clearTimeout(late);
    },
  };
}

async function readPid(child: ChildProcess, program: string): Promise<number> {
  const output = child.stdout!;
  const [line] = await Promise.race([once(output, 'data'), once(child, 'exit').then(() => [''])]);
  const pid = Number(String(line).trim());
  if (!Number.isInteger(pid) || pid <= 0) {
    throw new FuseMeshError('failed_precondition', `Cannot run ${program} with /bin/sh.`);
  }
  output.destroy();
  return pid;
}
