import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { clientTls, type SecuritySettings, serverTls } from '../security/service-security.ts';

/**
 * What a server listens with: TLS where the run file has it, and then with clientCertificates no caller without a
 * certificate of the CA.
 */
export function serverCredentials(security: SecuritySettings): ServerCredentials {
  const tls = serverTls(security);
  if (!tls) return ServerCredentials.createInsecure();
  const { ca = null, key, certificate } = tls;
  const pair = { private_key: key, cert_chain: certificate };
  const demands = security.tls?.clientCertificates ?? false;
  return readable(() => ServerCredentials.createSsl(ca, [pair], demands));
}

/** What a client calls with. The server's certificate must be of the CA and name the host that is called. */
export function channelCredentials(security: SecuritySettings): ChannelCredentials {
  const tls = clientTls(security);
  if (!tls) return credentials.createInsecure();
  const { ca = null, key = null, certificate = null } = tls;
  return readable(() => credentials.createSsl(ca, key, certificate));
}

/** OpenSSL's complaint about a file that is no PEM, or a key of another certificate, in one line. */
function readable<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new FuseMeshError(
      'invalid_argument',
      `security.tls: certificate, key and ca do not go together or are no PEM files (${(cause as Error).message})`,
      { cause },
    );
  }
}
