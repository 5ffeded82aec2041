import { type ChildProcess, spawn } from 'node:child_process';
import { entry } from '../translated/entry.ts';

/** What a finished command left. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as a process of its own. */
export interface RunningCommand {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** Commands colour what they print where CI or FORCE_COLOR is set; tests read plain text everywhere. */
const plain = { NO_COLOR: '1', FORCE_COLOR: undefined };

/**
 * @param environment changes to this process's environment; undefined takes a variable away
 * @param how.from the file that is run: {@link entryOfCheckout} where a test is about how people start it
 * @param how.under a command that runs the command behind it
 */
export function startCommand(
  parameters: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  { from = entry, under = [] }: { readonly from?: string; readonly under?: readonly string[] } = {},
): RunningCommand {
  const [program, ...rest] = [...under, process.execPath, from, ...parameters];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...plain, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { process: child, finished };
}

export const runCommand = (
  parameters: readonly string[],
  environment?: Readonly<Record<string, string | undefined>>,
  how?: { readonly from?: string },
): Promise<Finished> => startCommand(parameters, environment, how).finished;
