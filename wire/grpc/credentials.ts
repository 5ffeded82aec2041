import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js';
import { clientTls, type SecuritySettings, serverTls } from '../../process/security/service-security.ts';

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
  return ServerCredentials.createSsl(ca, [pair], demands);
}

/** What a client calls with. The server's certificate must be of the CA and name the host that is called. */
export function channelCredentials(security: SecuritySettings): ChannelCredentials {
  const tls = clientTls(security);
  if (!tls) return credentials.createInsecure();
  const { ca = null, key = null, certificate = null } = tls;
  return credentials.createSsl(ca, key, certificate);
}
