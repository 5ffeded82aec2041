import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, type TestAuthority } from '../../test/support/certificates.ts';
import { freePort } from '../../test/support/free-port.ts';
import { startSecuredNats } from '../../test/support/secured-nats-server.ts';
import { connectNats } from './connection.ts';
import { type NatsSettings, natsLogin } from './login.ts';

let directory: string;
let authority: TestAuthority;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-login-'));
  authority = createAuthority(directory);
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await rm(directory, { recursive: true, force: true });
});

const file = async (name: string, text: string) => {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
};
const server = async (...lines: string[]) => {
  const started = await startSecuredNats(await mkdtemp(join(directory, 'nats-')), lines);
  stops.push(started.stop);
  return { ...started, url: `nats://127.0.0.1:${started.port}` };
};
type Nats = NatsSettings['nats'];
const place = (nats: Nats): NatsSettings => ({ nats, security: { insecure: false } });

/** Whether JetStream answers, which is what a process needs. */
async function enter(nats: Nats): Promise<string> {
  const connection = await connectNats(place(nats), 'test');
  const { streams } = await connection.manager.getAccountInfo();
  await connection.close();
  return `in, ${streams} streams`;
}
const refusal = { code: 'unauthenticated', message: expect.not.stringContaining('\n') };

describe('a real nats-server', () => {
  it('lets in with user and password, and nobody else', async () => {
    const { url, log } = await server('authorization { user: "mesh", password: "s3cret-word" }');
    const passwordFile = await file('password', 's3cret-word\n');
    expect(await enter({ url, user: 'mesh', passwordFile })).toBe('in, 0 streams');
    expect(await enter({ url: url.replace('//', '//mesh:s3cret-word@') })).toBe('in, 0 streams');
    await expect(enter({ url })).rejects.toMatchObject(refusal);
    const wrong = enter({ url: url.replace('//', '//mesh:wr0ng-word@') });
    await expect(wrong).rejects.toMatchObject(refusal);
    await expect(wrong).rejects.not.toThrow('wr0ng-word');
    expect(await log()).not.toContain('s3cret-word');
  });

  it('lets in with a token, and nobody else', async () => {
    const { url } = await server('authorization { token: "t0ken" }');
    expect(await enter({ url, tokenFile: await file('token', 't0ken\n') })).toBe('in, 0 streams');
    expect(await enter({ url: url.replace('//', '//t0ken@') })).toBe('in, 0 streams');
    await expect(enter({ url, tokenFile: await file('wrong-token', 'other') })).rejects.toMatchObject(
      refusal,
    );
    await expect(enter({ url })).rejects.toMatchObject(refusal);
  });

  it('lets in with a credentials file of an account, and not with that of a stranger', async () => {
    const operator = nkeys.createOperator();
    const [account, system, user, stranger] = [
      nkeys.createAccount(),
      nkeys.createAccount(),
      nkeys.createUser(),
      nkeys.createAccount(),
    ];
    const jetstream = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
    const unlimited = {
      subs: -1,
      data: -1,
      payload: -1,
      conn: -1,
      leaf: -1,
      imports: -1,
      exports: -1,
      wildcards: true,
    };
    const accountJwt = jwt(operator, account, { type: 'account', limits: { ...unlimited, ...jetstream } });
    const systemJwt = jwt(operator, system, { type: 'account', limits: unlimited });
    const operatorJwt = jwt(operator, operator, { type: 'operator', system_account: system.getPublicKey() });
    const { url } = await server(
      `operator: ${operatorJwt}`,
      'resolver: MEMORY',
      `resolver_preload: { ${account.getPublicKey()}: ${accountJwt}, ${system.getPublicKey()}: ${systemJwt} }`,
    );
    const credentials = (issuer: typeof account) => {
      const userJwt = jwt(issuer, user, { type: 'user', subs: -1, data: -1, payload: -1 });
      const seed = Buffer.from(user.getSeed()).toString();
      return `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
    };
    expect(await enter({ url, credentialsFile: await file('mesh.creds', credentials(account)) })).toBe(
      'in, 0 streams',
    );
    const of = await file('stranger.creds', credentials(stranger));
    await expect(enter({ url, credentialsFile: of })).rejects.toMatchObject(refusal);
    await expect(enter({ url })).rejects.toMatchObject(refusal);
  });

  it('is entered by TLS alone, when it is whom its certificate says', async () => {
    const { certificate, key } = authority.sign('nats', ['IP:127.0.0.1']);
    const { port, url } = await server(`tls { cert_file: "${certificate}", key_file: "${key}" }`);
    const { ca } = authority;
    expect(await enter({ url, tls: { ca } })).toBe('in, 0 streams');
    await expect(enter({ url, tls: {} })).rejects.toMatchObject(refusal);
    const other = createAuthority(directory, 'other').ca;
    await expect(enter({ url, tls: { ca: other } })).rejects.toMatchObject(refusal);
    const byName = enter({ url: `nats://localhost:${port}`, tls: { ca } });
    await expect(byName).rejects.toMatchObject(refusal);
    await expect(byName).rejects.toThrow('must name this host');

    const plain = await server();
    const demanding = enter({ url: plain.url, tls: { ca } });
    await expect(demanding).rejects.toMatchObject(refusal);
    await expect(demanding).rejects.toThrow('has no TLS');
    const byScheme = enter({ url: plain.url.replace('nats:', 'tls:') });
    await expect(byScheme).rejects.toThrow('has no TLS');
  });

  it('is one of several: those that are away are passed over, and TLS checks each', async () => {
    const { certificate, key } = authority.sign('several', ['IP:127.0.0.1']);
    const { ca } = authority;
    const { url } = await server(`tls { cert_file: "${certificate}", key_file: "${key}" }`);
    const away = `nats://127.0.0.1:${await freePort()}`;
    for (const list of [`${away},${url}`, `${url}, ${away}`, `${away},${away},nats://127.0.0.2:1,${url}`]) {
      expect(await enter({ url: list, tls: { ca } })).toBe('in, 0 streams');
    }
    const wrong = authority.sign('elsewhere', ['IP:127.0.0.9']);
    const stranger = await server(`tls { cert_file: "${wrong.certificate}", key_file: "${wrong.key}" }`);
    await expect(enter({ url: `${stranger.url},${stranger.url}`, tls: { ca } })).rejects.toMatchObject(
      refusal,
    );
  });

  it('is shown our certificate where it demands one', async () => {
    const { certificate, key } = authority.sign('mutual', ['IP:127.0.0.1']);
    const ours = authority.sign('ours', ['DNS:mesh']);
    const { ca } = authority;
    const { url } = await server(
      `tls { cert_file: "${certificate}", key_file: "${key}", ca_file: "${ca}", verify: true }`,
    );
    expect(await enter({ url, tls: { ca, ...ours } })).toBe('in, 0 streams');
    await expect(enter({ url, tls: { ca } })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('nats.tls.certificate and key where it demands them'),
    });
  });
});

describe('natsLogin', () => {
  const url = 'nats://10.0.0.1:4222';

  it('sends no secret through a network in plain text unless it is told to', async () => {
    const passwordFile = await file('plain', 'x');
    const nats = { url, user: 'mesh', passwordFile };
    expect(() => natsLogin(place(nats), {})).toThrow(
      'The password is not sent to NATS at nats://10.0.0.1:4222 in plain text',
    );
    expect(() => natsLogin(place({ url: 'nats://t0ken@10.0.0.1:4222' }), {})).toThrow(
      /^The token is not sent to NATS at nats:\/\/10/,
    );
    expect(natsLogin({ nats, security: { insecure: true } }, {}).options.authenticator).toBeDefined();
    expect(natsLogin(place({ ...nats, tls: {} }), {}).options.tls).toEqual({ host: '10.0.0.1' });
    expect(natsLogin(place({ url }), {}).options).toEqual({});
    const both = natsLogin(place({ url: 'nats://127.0.0.1:1, nats://t0ken@localhost:2' }), {});
    expect(both).toMatchObject({ servers: ['nats://127.0.0.1:1', 'nats://localhost:2'] });
    expect(both.url).toBe('nats://127.0.0.1:1,nats://localhost:2');
    expect(() => natsLogin(place({ ...nats, url: `nats://127.0.0.1:1,${url}` }), {})).toThrow(
      'in plain text',
    );
    expect(natsLogin(place({ ...nats, url: 'nats://[::1]:4222' }), {}).url).toBe('nats://[::1]:4222');
  });

  it('takes files first, then the URL, then the environment', async () => {
    const local = 'nats://127.0.0.1:4222';
    const variables = { NATS_USER: 'mesh', NATS_PASSWORD: 'of-variable', NATS_TOKEN: 'token-of-variable' };
    const shown = (nats: Nats, environment = {}) =>
      natsLogin(place(nats), environment).options.authenticator?.('');
    expect(shown({ url: local, tokenFile: await file('first', 'of-file') }, variables)).toEqual({
      auth_token: 'of-file',
    });
    expect(shown({ url: 'nats://of-url@127.0.0.1:4222' }, variables)).toEqual({ auth_token: 'of-url' });
    expect(shown({ url: local }, variables)).toEqual({ user: 'mesh', pass: 'of-variable' });
    expect(shown({ url: local }, { NATS_TOKEN: 'of-variable' })).toEqual({ auth_token: 'of-variable' });
    expect(shown({ url: local })).toBeUndefined();
  });

  it.each([
    ['a user without a password', { user: 'mesh' }, 'nats.user has no password'],
    ['a password of nobody', { passwordFile: '/p' }, 'nats.passwordFile is the password of nobody'],
    [
      'a file that is not there',
      { tokenFile: '/no/token' },
      'nats.tokenFile: cannot read /no/token (ENOENT)',
    ],
    [
      'what is no PEM',
      { tls: { certificate: '/dev/null', key: '/dev/null' } },
      'nats.tls: certificate, key and ca must be',
    ],
  ])('names %s', (_, nats, message) => {
    expect(() => natsLogin(place({ url, ...nats }), {})).toThrow(message);
  });
});

/** A JWT as NATS has it, signed by the issuer. */
function jwt(issuer: ReturnType<typeof nkeys.createAccount>, subject: typeof issuer, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const head = part({ typ: 'JWT', alg: 'ed25519-nkey' });
  const body = part({
    jti: String(Math.random()),
    iat: now,
    iss: issuer.getPublicKey(),
    name: 'test',
    sub: subject.getPublicKey(),
    nats: { version: 2, ...claims },
  });
  const signature = Buffer.from(issuer.sign(Buffer.from(`${head}.${body}`))).toString('base64url');
  return `${head}.${body}.${signature}`;
}
