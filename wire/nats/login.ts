import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
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
    'url' | 'domain' | 'user' | 'passwordFile' | 'tokenFile' | 'credentialsFile' | 'tls'
  >;
  readonly security: Pick<RunConfig['security'], 'insecure'>;
}

/** A server for which the URL is enough. */
export const atUrl = (url: string): NatsSettings => ({ nats: { url }, security: { insecure: false } });

/** What a connection needs. */
export interface NatsLogin {
  /** Without user, password or token: it may be shown. Several stand with commas between them. */
  readonly url: string;
  /** Each of them. */
  readonly servers: readonly string[];
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
  const servers = nats.url.split(',').map(readUrl);
  const urls = servers.map(({ url }) => url);
  const url = urls.join(',');
  const user = servers.find((server) => server.user)?.user;
  const way = wayOfFiles(nats, environment) ?? wayOfUrl(user) ?? wayOfVariables(nats, environment);
  const tls = nats.tls ?? (servers.some(({ scheme }) => scheme === 'tls://') ? {} : undefined);
  const hosts = servers.map(({ host }) => host);
  if (way?.sendsSecret && !tls && !security.insecure && !hosts.every(isLoopbackHost)) {
    throw new FuseMeshError(
      'failed_precondition',
      `The ${way.sendsSecret} is not sent to NATS at ${url} in plain text: set nats.tls ({} where the CAs of Node.js do), ` +
        'or security.insecure: true on a network that you trust',
    );
  }
  return {
    url,
    servers: urls,
    options: { ...(way && { authenticator: way.authenticator }), ...tlsOf(tls, hosts) },
  };
}

/** One server of a list; `user` is what stands before the @. */
function readUrl(text: string) {
  const [, scheme = '', user, rest] = /^(\w+:\/\/)?(?:(.*)@)?(.*)$/s.exec(text.trim())!;
  const host = rest.replace(/:\d+\/?$/, '').replace(/^\[(.*)\]$/, '$1');
  return { scheme, user, url: scheme + rest, host };
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

function tlsOf(tls: NatsSettings['nats']['tls'], hosts: readonly string[]): Pick<ConnectionOptions, 'tls'> {
  if (!tls) return {};
  const read = (key: string, path: string | undefined) =>
    path === undefined ? undefined : readNamedFile(`nats.tls.${key}`, path);
  const { ca, certificate, key } = fitting('nats.tls', {
    ca: read('ca', tls.ca),
    certificate: read('certificate', tls.certificate),
    key: read('key', tls.key),
  });
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  const options: TlsOptions & { host?: string; checkServerIdentity?: ReturnType<typeof anyOf> } = {
    ...(ca && { ca: ca.toString() }),
    ...(certificate && key && { cert: certificate.toString(), key: key.toString() }),
    // The client gives Node.js the name of a server but not its IP address; Node.js would then expect "localhost".
    ...(addresses.length === 1 && { host: addresses[0] }),
    ...(addresses.length > 1 && { checkServerIdentity: anyOf(addresses) }),
  };
  return { tls: options };
}

/** Of several servers that are known by IP address, the client does not say which one it has reached. */
const anyOf =
  (addresses: readonly string[]) =>
  (name: string, certificate: PeerCertificate): Error | undefined => {
    const wrong = checkServerIdentity(name, certificate);
    const isOurs = addresses.some((address) => checkServerIdentity(address, certificate) === undefined);
    return isOurs ? undefined : wrong;
  };
