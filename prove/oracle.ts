import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FuseMeshError } from '../errors/fusemesh-error.ts';

const root = join(import.meta.dirname, '..');

/** Runs a Python program of test/oracle. Its output goes to ours. */
export const runOracle = (name: string, parameters: readonly string[]): Promise<void> =>
  runToTheEnd('python3', [join('test', 'oracle', name), ...parameters]);

/**
 * Runs a program in the project's folder.
 *
 * @throws FuseMeshError failed_precondition when it fails
 */
export async function runToTheEnd(
  command: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = spawn(command, parameters, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  const [code] = await once(child, 'close');
  if (code !== 0)
    throw new FuseMeshError('failed_precondition', `${command} ${parameters.join(' ')} ended with ${code}`);
}
