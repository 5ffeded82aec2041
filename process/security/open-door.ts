import { lookup } from 'node:dns/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../log/log.ts';
import { isLoopbackAddress } from './loopback.ts';
import { type SecuritySettings, tokenOf } from './service-security.ts';

/**
 * Checks a service before it listens: beyond this machine it must be encrypted, unless the run file says that it
 * need not be. What is allowed and still open to everybody is named in the log.
 *
 * @param what is served there ("gRPC")
 * @throws FuseMeshError failed_precondition
 */
export async function checkDoor(
  { what, host }: { what: string; host: string },
  security: SecuritySettings,
  log: Log,
): Promise<void> {
  if (await staysHere(host)) return;
  if (!security.tls && !security.insecure) {
    throw new FuseMeshError(
      'failed_precondition',
      `${what} at ${host} would be open to other machines in plain text: set security.tls, or ` +
        'security.insecure: true on a network that you trust, or listen on 127.0.0.1',
    );
  }
  if (!security.tls) log.warn({ host }, `${what} at ${host} is plain text, as security.insecure allows`);
  if (!security.tls?.clientCertificates && tokenOf(security) === undefined) {
    log.warn(
      { host },
      `${what} at ${host} lets in whoever reaches it: set security.tokenFile or security.tls.clientCertificates`,
    );
  }
}

/** A name that cannot be resolved cannot be listened on either, and that attempt has the better message. */
async function staysHere(host: string): Promise<boolean> {
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return addresses.every(({ address }) => isLoopbackAddress(address));
}
