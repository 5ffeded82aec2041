import { type ServiceError, status } from '@grpc/grpc-js';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

interface Trouble {
  /** In the message of Node.js or OpenSSL. */
  readonly said: RegExp;
  /** What follows the address, and what to do. */
  readonly meaning: string;
}

/** The first match counts. */
const troubles: readonly Trouble[] = [
  {
    said: /does not match certificate's altnames/,
    meaning:
      'shows a certificate that does not name this host: call it by a name of its certificate, or make one whose ' +
      'subjectAltName has this host',
  },
  {
    said: /certificate has expired|certificate is not yet valid/,
    meaning:
      'shows a certificate that is out of date: make a new one, and look at the clocks of both machines',
  },
  {
    said: /certificate required|unknown ca|bad certificate|certificate unknown/,
    meaning:
      'demands a certificate and does not accept ours: set security.tls.clientCertificates: true, with a certificate ' +
      'and key of its CA',
  },
  {
    said: /unable to verify|self.signed certificate|unable to get (local )?issuer|signature failure/,
    meaning:
      'shows a certificate of a CA that is not trusted here: set security.tls.ca to the certificate of the CA that ' +
      'signed it',
  },
  {
    said: /wrong version number|packet length too long/,
    meaning: 'does not speak TLS: start it with security.tls, as this process has it',
  },
];

/** What is wrong with TLS between a client and an address; undefined where a failure has another reason. */
export function tlsTrouble(error: ServiceError, address: string): FuseMeshError | undefined {
  if (error.code !== status.UNAVAILABLE) return undefined;
  const trouble = troubles.find(({ said }) => said.test(error.details));
  if (trouble) return new FuseMeshError('unauthenticated', `${address} ${trouble.meaning}`, { cause: error });
  // A process that is just ending does the same, so a retry may succeed: `unavailable`.
  if (!error.details.includes('Last error: Failed to connect')) return undefined;
  return new FuseMeshError(
    'unavailable',
    `No answer from ${address}, which closes the connection at once: is the service running, and do both sides ` +
      'have the same security.tls and certificates of the same CA?',
    { cause: error },
  );
}
