import { readFileSync } from 'node:fs';

/** A process of this machine, told from a later one that was given its number. */
export interface StartedProcess {
  readonly processId: number;
  /** When it began, in ticks since the machine did; undefined where the system does not tell. */
  readonly started: string | undefined;
}

export const thisProcess = (): StartedProcess => ({
  processId: process.pid,
  started: startOf(process.pid),
});

/** Whether it is there still; one that is stopped is, one that has ended and that nobody has asked how is not. */
export function isRunning({ processId, started }: StartedProcess): boolean {
  if (started !== undefined) return startOf(processId) === started;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The 22nd field of proc_pid_stat(5), which follows a name in brackets that may have spaces. */
function startOf(processId: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
