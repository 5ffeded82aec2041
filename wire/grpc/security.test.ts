import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as GrpcClient, Metadata, status } from '@grpc/grpc-js';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { createLog } from '../../process/log/log.ts';
import type { SecuritySettings } from '../../process/security/service-security.ts';
import { createAuthority } from '../../test/support/certificates.ts';
import { TeacherService } from '../generated/fusemesh/v1/teacher_pb.ts';
import { TrainerService } from '../generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from './client.ts';
import { channelCredentials } from './credentials.ts';
import { type Implementation, type ImplementedService, implement } from './implementation.ts';
import type { HandledCall } from './observe-calls.ts';
import { type GrpcServer, serve } from './serve.ts';
import { methodPath } from './service-definition.ts';

const log = createLog('test', { level: 'silent' });
const directory = mkdtempSync(join(tmpdir(), 'fusemesh-grpc-security-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const authority = createAuthority(directory);
const strangers = createAuthority(directory, 'strangers');
const node = authority.sign('node', ['IP:127.0.0.1', 'DNS:localhost']);

const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, 'the-token-of-the-run\n');
const wrongTokenFile = join(directory, 'wrong-token');
writeFileSync(wrongTokenFile, 'another-token\n');

type Tls = Partial<NonNullable<SecuritySettings['tls']>>;
const withTls = (tls: Tls): SecuritySettings => ({
  insecure: false,
  tls: { clientCertificates: false, ca: authority.ca, ...tls },
});
const withToken = (file: string): SecuritySettings => ({ insecure: false, tokenFile: file });
const open: SecuritySettings = { insecure: false };

const servers: GrpcServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** Both services, each method with an answer that counts. */
async function start(security: SecuritySettings) {
  const answered: string[] = [];
  const handled: HandledCall[] = [];
  const everyMethod = (service: typeof TeacherService | typeof TrainerService): ImplementedService => {
    const functions = service.methods.map(({ localName, methodKind }) => [
      localName,
      methodKind === 'unary'
        ? async () => {
            answered.push(localName);
            return {};
          }
        : async function* () {
            answered.push(localName);
            yield {};
          },
    ]);
    return implement(service, Object.fromEntries(functions) as unknown as Implementation<typeof service>);
  };
  const services = [everyMethod(TeacherService), everyMethod(TrainerService)];
  const onHandled = (call: HandledCall) => handled.push(call);
  const server = await serve({ address: '127.0.0.1:0', services, log, security, onHandled });
  servers.push(server);
  return { address: server.address, answered, handled };
}

/** A call as a program of others makes it: the status, and its one line. */
function call(
  address: string,
  path: string,
  { authorization, security = open }: { authorization?: string; security?: SecuritySettings } = {},
): Promise<{ code: status; details: string }> {
  const client = new GrpcClient(address, channelCredentials(security), { 'grpc.enable_http_proxy': 0 });
  const metadata = new Metadata();
  if (authorization !== undefined) metadata.set('authorization', authorization);
  return new Promise((resolve) => {
    const stream = client.makeBidiStreamRequest(
      path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
      metadata,
      {
        deadline: Date.now() + 10_000,
      },
    );
    stream.on('data', () => undefined);
    stream.on('error', () => undefined);
    stream.on('status', ({ code, details }) => {
      client.close();
      resolve({ code, details });
    });
    stream.write(Buffer.alloc(0));
    stream.end();
  });
}

const ownMethods = [TeacherService, TrainerService].flatMap((service) =>
  service.methods.map(({ name }) => methodPath(service, name)),
);
const reflection = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);
const health = ['/grpc.health.v1.Health/Check', '/grpc.health.v1.Health/Watch'];

describe('a server with a token', () => {
  it('refuses every method of every service, reflection too, without the token or with a wrong one', async () => {
    const { address, answered, handled } = await start(withToken(tokenFile));
    const wrong = [
      'Bearer another-token',
      'Bearer the-token-of-the-ru',
      'Basic dGhlLXRva2VuLW9mLXRoZS1ydW4=',
      'the-token-of-the-run',
      '',
    ];
    for (const path of [...ownMethods, ...reflection]) {
      for (const authorization of [undefined, ...wrong]) {
        const { code, details } = await call(
          address,
          path,
          authorization === undefined ? {} : { authorization },
        );
        expect({ path, authorization, code }).toEqual({ path, authorization, code: status.UNAUTHENTICATED });
        expect(details).toMatch(/^The call carries (no|a wrong) token: [^\n]+$/);
        expect(details).not.toContain('the-token-of-the-run');
      }
    }
    expect(answered).toEqual([]);
    expect(new Set(handled.map(({ code }) => code))).toEqual(new Set(['UNAUTHENTICATED']));
  });

  it('answers every method with it, and health checks without', async () => {
    const { address, answered } = await start(withToken(tokenFile));
    const authorization = 'Bearer the-token-of-the-run';
    for (const path of [...ownMethods, ...reflection]) {
      const { code } = await call(address, path, { authorization });
      expect([path, code]).not.toEqual([path, status.UNAUTHENTICATED]);
    }
    expect(answered).toEqual(
      [...TeacherService.methods, ...TrainerService.methods].map(({ localName }) => localName),
    );
    expect((await call(address, health[0])).code).toBe(status.OK);
  });

  it('is called by our own client, whose error is one line', async () => {
    const { address } = await start(withToken(tokenFile));
    const right = createClient(TrainerService, address, withToken(tokenFile));
    await right.getStatus({});
    for await (const _ of right.watchSteps({}));
    right.close();
    for (const security of [withToken(wrongTokenFile), open]) {
      const client = createClient(TrainerService, address, security);
      await expect(client.getStatus({})).rejects.toMatchObject({
        code: 'unauthenticated',
        message: expect.stringMatching(/^The call carries (no|a wrong) token: [^\n]+ FUSEMESH_TOKEN [^\n]+$/),
      });
      client.close();
    }
  });
});

describe('TLS', () => {
  /** What becomes of a call from one side's settings to the other's. */
  async function meet(server: SecuritySettings, client: SecuritySettings, host = '127.0.0.1') {
    const { address } = await start(server);
    const caller = createClient(TrainerService, address.replace('127.0.0.1', host), client);
    try {
      await caller.getStatus({}, { timeoutMs: 10_000 });
      return 'in';
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      expect(error.message).not.toContain('\n');
      return `${error.code}: ${error.message}`;
    } finally {
      caller.close();
    }
  }
  const mutual = (files: object) => withTls({ ...files, clientCertificates: true });

  it('lets a client in that trusts the CA, by each name of the certificate', async () => {
    expect(await meet(withTls(node), withTls({}))).toBe('in');
    expect(await meet(withTls(node), withTls({}), 'localhost')).toBe('in');
  });

  it('goes together with a token', async () => {
    const both = { ...withTls(node), tokenFile };
    expect(await meet(both, both)).toBe('in');
    expect(await meet(both, withTls({}))).toMatch(/^unauthenticated: The call carries no token/);
  });

  it('demands a certificate of the CA from who calls, where it is told to', async () => {
    expect(await meet(mutual(node), mutual(authority.sign('caller', ['DNS:caller'])))).toBe('in');
    expect(await meet(mutual(node), withTls({}))).toMatch(/^unauthenticated: .* demands a certificate/);
    const stranger = strangers.sign('stranger', ['IP:127.0.0.1']);
    expect(await meet(mutual(node), mutual(stranger))).toMatch(/certificates? of (its|the same) CA/);
    const { address } = await start(mutual(node));
    expect((await call(address, health[0], { security: withTls({}) })).code).toBe(status.UNAVAILABLE);
  });

  it.each([
    ['another name', authority.sign('elsewhere', ['DNS:elsewhere']), {}, 'does not name this host'],
    ['another CA', strangers.sign('foreign', ['IP:127.0.0.1']), {}, 'set security.tls.ca'],
    ['a CA that nobody has heard of', node, { ca: undefined }, 'set security.tls.ca'],
    ['a date in the past', authority.sign('old', ['IP:127.0.0.1'], { days: -1 }), {}, 'is out of date'],
  ])('names a server whose certificate has %s', async (_, files, trusted, what) => {
    const outcome = await meet(withTls(files), withTls(trusted));
    expect(outcome).toMatch(/^unauthenticated: 127\.0\.0\.1:\d+ shows a certificate/);
    expect(outcome).toContain(what);
  });

  it('says so where one side alone has it', async () => {
    expect(await meet(open, withTls({}))).toMatch(/does not speak TLS: start it with security\.tls/);
    expect(await meet(withTls(node), open)).toMatch(
      /^unavailable: .*do both sides have the same security\.tls/,
    );
  });

  it('names files that are missing or no PEM', async () => {
    const start = (tls: Tls) => serve({ address: '127.0.0.1:0', services: [], log, security: withTls(tls) });
    await expect(start({})).rejects.toThrow('security.tls: what serves needs a certificate and its key');
    await expect(start({ ...node, key: '/no/key' })).rejects.toThrow(
      'security.tls.key: cannot read /no/key (ENOENT)',
    );
    await expect(start({ ...node, ca: undefined, clientCertificates: true })).rejects.toThrow(
      'security.tls.ca is missing',
    );
    const noPem = start({ ...node, certificate: tokenFile });
    await expect(noPem).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(noPem).rejects.toThrow(/^security\.tls: certificate, key and ca must be PEM files/);
    expect(() => createClient(TrainerService, '127.0.0.1:1', withTls({ ca: '/no/ca' }))).toThrow(
      'security.tls.ca: cannot read',
    );
  });
});

it('sends no token through a network in plain text, unless it is told to', () => {
  const security = withToken(tokenFile);
  for (const address of ['10.0.0.2:50051', 'orator:50051', '[2001:db8::1]:50051']) {
    expect(() => createClient(TeacherService, address, security)).toThrow(
      `The token is not sent to ${address} in plain text`,
    );
    createClient(TeacherService, address, { ...security, insecure: true }).close();
    createClient(TeacherService, address, { ...security, ...withTls({}) }).close();
  }
  for (const address of ['127.0.0.1:1', 'localhost:1', '[::1]:1'])
    createClient(TeacherService, address, security).close();
});
