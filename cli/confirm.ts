import { createInterface } from 'node:readline/promises';
import { FuseMeshError } from '../errors/fusemesh-error.ts';

/**
 * Asks a person on the terminal; what is not clearly a yes is a no.
 *
 * @param yes whether the command line has said so already
 * @throws FuseMeshError invalid_argument where nobody sits at a terminal
 */
export async function confirm(question: string, yes: boolean, signal: AbortSignal): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    throw new FuseMeshError('invalid_argument', `${question} Nobody can be asked here: add --yes.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `, { signal })).trim());
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}
