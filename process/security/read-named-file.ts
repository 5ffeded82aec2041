import { readFileSync } from 'node:fs';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Secret } from './secret.ts';

/**
 * Reads a file that a key of the run file names. These files are small and read once a connection, so that a
 * renewed one is taken without a restart.
 *
 * @throws FuseMeshError invalid_argument with the key when it cannot be read
 */
export function readNamedFile(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new FuseMeshError(
      'invalid_argument',
      `${key}: cannot read ${path} (${(cause as NodeJS.ErrnoException).code}): correct the path or its permissions`,
      { cause },
    );
  }
}

/**
 * The secret that a file holds, without the line break at its end.
 *
 * @throws FuseMeshError invalid_argument when there is none, or it is no line that a header can carry
 */
export function readSecretFile(key: string, path: string): Secret {
  return secretOf(readNamedFile(key, path).toString('utf8').trimEnd(), `${key}: ${path}`);
}

/**
 * @param where what to call it in a message
 * @throws FuseMeshError invalid_argument when it is empty or more than one line of printable ASCII
 */
export function secretOf(text: string, where: string): Secret {
  if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text)) return new Secret(text);
  throw new FuseMeshError(
    'invalid_argument',
    `${where} ${text === '' ? 'is empty' : 'is not one line of printable ASCII'}: make one with \`openssl rand -hex 32\``,
  );
}
