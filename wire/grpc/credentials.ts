import {
  type ChannelCredentials,
  credentials,
  InterceptingCall,
  type Interceptor,
  type Metadata,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import type { Secret } from '../../process/security/secret.ts';
import {
  clientTls,
  type SecuritySettings,
  serverTls,
  tokenFor,
  tokenOf,
} from '../../process/security/service-security.ts';

/**
 * A server's credentials: TLS where the run file has it. With clientCertificates, only callers with a certificate of
 * the CA are let in.
 */
export function serverCredentials(security: SecuritySettings): ServerCredentials {
  const tls = serverTls(security);
  if (!tls) return ServerCredentials.createInsecure();
  const { ca = null, key, certificate } = tls;
  const pair = { private_key: key, cert_chain: certificate };
  const demands = security.tls?.clientCertificates ?? false;
  return ServerCredentials.createSsl(ca, [pair], demands);
}

/** A client's credentials. The server's certificate must be of the CA and name the host that is called. */
export function channelCredentials(security: SecuritySettings): ChannelCredentials {
  const tls = clientTls(security);
  if (!tls) return credentials.createInsecure();
  const { ca = null, key = null, certificate = null } = tls;
  return credentials.createSsl(ca, key, certificate);
}

/** Health checks come from monitors, which have no token. */
const openToAll = '/grpc.health.v1.Health/';

/**
 * Lets only calls through that carry the token of the run, reflection included; health checks need none. (grpc-js
 * itself answers calls of methods that do not exist.) An empty list where the run has no token.
 */
export function demandToken(security: SecuritySettings): ServerInterceptor[] {
  const token = tokenOf(security);
  return token ? [demand(token)] : [];
}

const demand =
  (token: Secret): ServerInterceptor =>
  ({ path }, call) => {
    if (path.startsWith(openToAll)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            const details = whyRefused(metadata, token);
            // Without `pass` the call never reaches its handler.
            if (details === undefined) pass(metadata);
            else call.sendStatus({ code: status.UNAUTHENTICATED, details });
          },
        }),
    });
  };

function whyRefused(metadata: Metadata, token: Secret): string | undefined {
  const said = String(metadata.get('authorization')[0] ?? '');
  const bearer = /^Bearer +(.+)$/i.exec(said)?.[1];
  if (bearer === undefined) {
    return 'The call carries no token: set security.tokenFile or FUSEMESH_TOKEN to the token of the run';
  }
  if (token.matches(bearer)) return undefined;
  return 'The call carries a wrong token: security.tokenFile or FUSEMESH_TOKEN must be the same in all processes';
}

/** Puts the token of the run onto every call to an address; an empty list where there is none. */
export function sendToken(address: string, security: SecuritySettings): Interceptor[] {
  const token = tokenFor(address, security);
  if (!token) return [];
  return [
    (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start: (metadata, listener, next) => {
          metadata.set('authorization', `Bearer ${token.reveal()}`);
          next(metadata, listener);
        },
      }),
  ];
}
