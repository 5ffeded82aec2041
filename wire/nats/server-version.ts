import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The oldest server that has all that our streams need. */
export const oldestServer: readonly [number, number] = [2, 9];

/** What a nats-server program says that it is ("nats-server: v2.9.10"). */
export async function versionOfProgram(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ['--version']);
  return stdout.trim();
}

/** Whether a version ("2.10.4", "nats-server: v2.10.4") is that one or a newer one. */
export function isSince(
  version: string,
  wanted: readonly [major: number, minor: number, patch?: number],
): boolean {
  const found =
    /(\d+)\.(\d+)(?:\.(\d+))?/
      .exec(version)
      ?.slice(1)
      .map((part) => Number(part ?? 0)) ?? [];
  for (const [i, part] of [wanted[0], wanted[1], wanted[2] ?? 0].entries()) {
    if ((found[i] ?? 0) !== part) return (found[i] ?? 0) > part;
  }
  return true;
}
