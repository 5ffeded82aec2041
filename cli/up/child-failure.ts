import { readFile } from 'node:fs/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Why a child ended, in one line: its last message, or how it was ended. Its exit code becomes ours. */
export async function childFailure(name: string, logFile: string, exit: Exit): Promise<FuseMeshError> {
  const said = lastComplaint(await readFile(logFile, 'utf8').catch(() => ''));
  const why = said ?? howItEnded(exit);
  return new FuseMeshError(
    exit.code === 2 ? 'invalid_argument' : 'failed_precondition',
    `${name}: ${why} [log: ${logFile}]`,
  );
}

function howItEnded({ code, signal }: Exit): string {
  if (signal) return `was killed (${signal}); run the same command again to resume`;
  if (code === 0) return 'was stopped before the run was over; run the same command again to resume';
  return `ended with exit code ${code}`;
}

/** The last line that a process wrote for people: "fusemesh: …". */
function lastComplaint(log: string): string | undefined {
  const mark = 'fusemesh: ';
  return log
    .split('\n')
    .findLast((line) => line.startsWith(mark))
    ?.slice(mark.length);
}
