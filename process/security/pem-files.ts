import { createSecureContext } from 'node:tls';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** PEM texts of one side of a connection. */
export interface PemFiles {
  readonly ca: Buffer | undefined;
  readonly certificate: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/**
 * Returns the files if OpenSSL accepts them together.
 *
 * @param where the keys of the run file that name them
 * @throws FuseMeshError invalid_argument when one is no PEM, or the key is that of another certificate
 */
export function fitting<Files extends PemFiles>(where: string, files: Files): Files {
  const { ca, certificate: cert, key } = files;
  try {
    createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
    return files;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new FuseMeshError(
      'invalid_argument',
      `${where}: certificate, key and ca must be PEM files, the key that of the certificate (${code ?? message})`,
      { cause },
    );
  }
}
