import { isIP } from 'node:net';
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  type TlsOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { isLoopbackHost } from '../../process/security/loopback.ts';
import { fitting } from '../../process/security/pem-files.ts';
import { readNamedFile, readSecretFile, secretOf } from '../../process/security/read-named-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a run file says about its NATS server. */
export interface NatsSettings {
  readonly nats: Pick<
    RunConfig['nats'],
    'url' | 'user' | 'passwordFile' | 'tokenFile' | 'credentialsFile' | 'tls'
  >;
  readonly security: Pick<RunConfig['security'], 'insecure'>;
}

/** A server for which the URL is enough. */
export const atUrl = (url: string): NatsSettings => ({ nats: { url }, security: { insecure: false } });

/** What a connection needs. */
export interface NatsLogin {
  /** Without user, password or token: it may be shown. */
  readonly url: string;
  readonly options: Pick<ConnectionOptions, 'tls'> & { readonly authenticator?: Authenticator };
}

/**
 * How to enter a NATS server. Files that the run file names come first, then what stands in the URL (which only
 * NATS_URL may hold), then NATS_TOKEN or NATS_USER and NATS_PASSWORD. Files are read again whenever the client
 * connects, so that renewed ones are taken.
 *
 * @throws FuseMeshError invalid_argument when there is half of a way, or a file cannot be read;
 *   failed_precondition when a secret would go through a network in plain text
 */
export function natsLogin(
  { nats, security }: NatsSettings,
  environment: Environment = process.env,
): NatsLogin {
  const [, scheme = '', user, rest] = /^(\w+:\/\/)?(?:(.*)@)?(.*)$/s.exec(nats.url)!;
  const url = scheme + rest;
  const way = wayOfFiles(nats, environment) ?? wayOfUrl(user) ?? wayOfVariables(nats, environment);
  const host = rest.replace(/:\d+\/?$/, '').replace(/^\[(.*)\]$/, '$1');
  if (way?.sendsSecret && !nats.tls && !security.insecure && !isLoopbackHost(host)) {
    throw new FuseMeshError(
      'failed_precondition',
      `The ${way.sendsSecret} is not sent to NATS at ${url} in plain text: set nats.tls ({} where the CAs of Node.js do), ` +
        'or security.insecure: true on a network that you trust',
    );
  }
  return { url, options: { ...(way && { authenticator: way.authenticator }), ...tlsOf(nats, host) } };
}

/** One way into a server. */
interface Way {
  readonly authenticator: Authenticator;
  /** The secret that is sent as it is; with a credentials file only a signature is sent. */
  readonly sendsSecret?: 'password' | 'token';
}

function wayOfFiles(nats: NatsSettings['nats'], environment: Environment): Way | undefined {
  const { user, passwordFile, tokenFile, credentialsFile } = nats;
  if (credentialsFile !== undefined) {
    const read = () => credsAuthenticator(readNamedFile('nats.credentialsFile', credentialsFile));
    // Read once now, so that a missing file is reported at the start.
    read();
    return { authenticator: (nonce) => read()(nonce) };
  }
  if (tokenFile !== undefined) {
    return token(() => readSecretFile('nats.tokenFile', tokenFile).reveal());
  }
  if (passwordFile === undefined) return undefined;
  const name = user ?? environment['NATS_USER'];
  if (!name) {
    throw new FuseMeshError('invalid_argument', 'nats.passwordFile is the password of nobody: set nats.user');
  }
  return password(name, () => readSecretFile('nats.passwordFile', passwordFile).reveal());
}

/** @param user what stands before the @: USER:PASSWORD or a token */
function wayOfUrl(user: string | undefined): Way | undefined {
  if (!user) return undefined;
  const [name, ...after] = user.split(':');
  if (after.length === 0) return token(() => decodeURIComponent(name));
  return password(decodeURIComponent(name), () => decodeURIComponent(after.join(':')));
}

function wayOfVariables({ user }: NatsSettings['nats'], environment: Environment): Way | undefined {
  const name = user ?? environment['NATS_USER'];
  const { NATS_PASSWORD, NATS_TOKEN } = environment;
  if (name && NATS_PASSWORD) {
    return password(name, () => secretOf(NATS_PASSWORD, 'NATS_PASSWORD').reveal());
  }
  if (user) {
    throw new FuseMeshError(
      'invalid_argument',
      'nats.user has no password: name a file that holds it in nats.passwordFile, or set NATS_PASSWORD',
    );
  }
  return NATS_TOKEN ? token(() => secretOf(NATS_TOKEN, 'NATS_TOKEN').reveal()) : undefined;
}

function token(read: () => string): Way {
  read();
  return { authenticator: tokenAuthenticator(read), sendsSecret: 'token' };
}

function password(user: string, read: () => string): Way {
  read();
  return { authenticator: usernamePasswordAuthenticator(user, read), sendsSecret: 'password' };
}

function tlsOf({ tls }: NatsSettings['nats'], host: string): Pick<ConnectionOptions, 'tls'> {
  if (!tls) return {};
  const read = (key: string, path: string | undefined) =>
    path === undefined ? undefined : readNamedFile(`nats.tls.${key}`, path);
  const { ca, certificate, key } = fitting('nats.tls', {
    ca: read('ca', tls.ca),
    certificate: read('certificate', tls.certificate),
    key: read('key', tls.key),
  });
  const options: TlsOptions & { host?: string } = {
    ...(ca && { ca: ca.toString() }),
    ...(certificate && key && { cert: certificate.toString(), key: key.toString() }),
    // The client gives Node.js the name of a server but not its IP address; Node.js would then expect "localhost".
    ...(isIP(host) !== 0 && { host }),
  };
  return { tls: options };
}
