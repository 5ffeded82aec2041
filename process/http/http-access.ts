import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { type SecuritySettings, tokenOf } from '../security/service-security.ts';

/** Why a request is not answered. */
export interface HttpRefusal {
  readonly status: 401 | 403;
  readonly headers: Readonly<Record<string, string>>;
  /** One line. */
  readonly text: string;
}

/**
 * What a request must show where the run has a token or demands client certificates, the same as at gRPC. The token
 * comes as a bearer token (Prometheus) or as the password of basic authentication, of any user (browsers ask for it).
 *
 * @returns a function that says why a request is refused; undefined where it is let in
 */
export function httpAccess(
  security: SecuritySettings,
): (request: Pick<IncomingMessage, 'headers' | 'socket'>) => HttpRefusal | undefined {
  const token = tokenOf(security);
  const demandsCertificate = security.tls?.clientCertificates ?? false;
  return ({ headers, socket }) => {
    if (demandsCertificate && !showsCertificate(socket)) {
      const text = 'Show a client certificate of the CA of this run (security.tls.clientCertificates)';
      return { status: 403, headers: {}, text };
    }
    if (!token) return undefined;
    const shown = shownToken(headers.authorization ?? '');
    if (shown !== undefined && token.matches(shown)) return undefined;
    return {
      status: 401,
      headers: { 'WWW-Authenticate': 'Basic realm="FuseMesh", charset="UTF-8"' },
      text:
        shown === undefined
          ? 'Send the token of the run: Authorization: Bearer TOKEN, or as the password of any user'
          : 'The token is wrong: it is what security.tokenFile or FUSEMESH_TOKEN of the run holds',
    };
  };
}

/** Node.js counts a resumed session without a certificate as authorized, so we look for the certificate itself. */
const showsCertificate = (socket: unknown): boolean =>
  socket instanceof TLSSocket && socket.authorized && socket.getPeerX509Certificate() !== undefined;

/** The token of an authorization header; undefined where it has none. */
function shownToken(authorization: string): string | undefined {
  const [, scheme, value] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : undefined;
}
