import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../config/schema.ts';
import { hostOfAddress, isLoopbackHost } from './loopback.ts';
import { fitting, type PemFiles } from './pem-files.ts';
import { readNamedFile, readSecretFile, secretOf } from './read-named-file.ts';
import type { Secret } from './secret.ts';

/** What the run file says about security: names of files, never what they hold. */
export type SecuritySettings = RunConfig['security'];

/** For a service that everybody on this machine may call. */
export const openSecurity: SecuritySettings = { insecure: false };

/** A server's files: it always has a certificate. */
type ServerPemFiles = PemFiles & { readonly certificate: Buffer; readonly key: Buffer };

/** The token of the run: that of the file where one is named, else that of FUSEMESH_TOKEN, else none. */
export function tokenOf(
  { tokenFile }: SecuritySettings,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Secret | undefined {
  if (tokenFile !== undefined) return readSecretFile('security.tokenFile', tokenFile);
  const text = environment['FUSEMESH_TOKEN'];
  return text ? secretOf(text, 'FUSEMESH_TOKEN') : undefined;
}

/**
 * What a server needs for TLS; undefined where it has none.
 *
 * @throws FuseMeshError invalid_argument when a file is missing
 */
export function serverTls({ tls }: SecuritySettings): ServerPemFiles | undefined {
  if (!tls) return undefined;
  const { certificate, key, ca, clientCertificates } = tls;
  if (certificate === undefined || key === undefined) {
    throw new FuseMeshError(
      'invalid_argument',
      'security.tls: what serves needs a certificate and its key: name both files',
    );
  }
  if (clientCertificates && ca === undefined) {
    throw new FuseMeshError(
      'invalid_argument',
      'security.tls.ca is missing: with clientCertificates it says whose certificates are let in',
    );
  }
  return fitting('security.tls', {
    certificate: readNamedFile('security.tls.certificate', certificate),
    key: readNamedFile('security.tls.key', key),
    ca: ca === undefined ? undefined : readNamedFile('security.tls.ca', ca),
  });
}

/** What a client needs for TLS; undefined where it has none. It shows a certificate only where one is demanded. */
export function clientTls(security: SecuritySettings): PemFiles | undefined {
  if (!security.tls) return undefined;
  if (security.tls.clientCertificates) return serverTls(security);
  const { ca } = security.tls;
  return fitting('security.tls', {
    ca: ca === undefined ? undefined : readNamedFile('security.tls.ca', ca),
    certificate: undefined,
    key: undefined,
  });
}

/**
 * The token for calls to an address; undefined where there is none.
 *
 * @throws FuseMeshError failed_precondition when it would go through a network in plain text
 */
export function tokenFor(address: string, security: SecuritySettings): Secret | undefined {
  const token = tokenOf(security);
  if (!token || security.tls || security.insecure || isLoopbackHost(hostOfAddress(address))) return token;
  throw new FuseMeshError(
    'failed_precondition',
    `The token is not sent to ${address} in plain text: set security.tls, or security.insecure: true on a ` +
      'network that you trust',
  );
}
