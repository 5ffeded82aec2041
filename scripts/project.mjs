import { fileURLToPath } from 'node:url';

/** Absolute path of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** Progress of the set-up goes to stderr: stdout belongs to the command itself. */
export const say = (message) => process.stderr.write(`${message}\n`);

/** An error that is shown to the user as one line, without a stack trace. */
export class SetUpError extends Error {}
