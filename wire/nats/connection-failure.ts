import { ErrorCode, NatsError } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

const refusals: readonly string[] = [
  ErrorCode.AuthorizationViolation,
  ErrorCode.AuthenticationExpired,
  ErrorCode.AuthenticationTimeout,
];
const untrusted = /certificate|altnames|self.signed|unable to verify|unable to get (local )?issuer/i;

/** Why a connection was not made, in one line. */
export function connectionFailure(cause: unknown, url: string): FuseMeshError {
  if (cause instanceof FuseMeshError) return cause;
  const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, ' ').trim();
  const code = cause instanceof NatsError ? cause.code : '';
  if (refusals.includes(code)) {
    return new FuseMeshError(
      'unauthenticated',
      `The NATS server at ${url} does not let this process in (${reason}): set nats.user with nats.passwordFile, ` +
        'nats.tokenFile or nats.credentialsFile to what it knows, or NATS_USER, NATS_PASSWORD, NATS_TOKEN.',
      { cause },
    );
  }
  if (code === ErrorCode.ServerOptionNotAvailable) {
    return new FuseMeshError(
      'unauthenticated',
      `The NATS server at ${url} has no TLS, which nats.tls or tls:// demands: give it a certificate, or leave both out.`,
      { cause },
    );
  }
  if (untrusted.test(reason)) {
    return new FuseMeshError(
      'unauthenticated',
      `TLS with the NATS server at ${url} fails (${reason}): nats.tls.ca must be the CA of its certificate, which must ` +
        'name this host; nats.tls.certificate and key are what it may demand of us.',
      { cause },
    );
  }
  return new FuseMeshError(
    'unavailable',
    `No NATS server answers at ${url} (${reason}): start one with \`nats-server -js\`, or set NATS_URL or nats.url` +
      // A server that demands our certificate says nothing where there is none.
      (code === ErrorCode.Timeout ? ', or nats.tls.certificate and key where it demands them.' : '.'),
    { cause },
  );
}
