import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { OutgoingHttpHeaders } from 'node:http';
import { Agent, get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, expect, it } from 'vitest';
import { createAuthority } from '../../test/support/certificates.ts';
import { createLog } from '../log/log.ts';
import { createRegister } from '../metrics/create-register.ts';
import type { SecuritySettings } from '../security/service-security.ts';
import { type HttpServer, serveHttp } from './serve-http.ts';

const log = createLog('test', { level: 'silent' });
const directory = mkdtempSync(join(tmpdir(), 'fusemesh-http-security-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const authority = createAuthority(directory);
const node = authority.sign('node', ['IP:127.0.0.1']);
const caller = authority.sign('caller', ['DNS:caller']);
const stranger = createAuthority(directory, 'strangers').sign('stranger', ['DNS:stranger']);
const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, 'the-token\n');

let server: HttpServer | undefined;
afterEach(() => server?.stop());
async function start(security: SecuritySettings): Promise<number> {
  server = await serveHttp(createRegister({}), {
    host: '127.0.0.1',
    port: 0,
    log,
    security,
    route: async (request, response) => {
      if (request.url !== '/' && request.url !== '/api/status') return false;
      response.end('the page');
      return true;
    },
  });
  return server.port;
}
const guarded = ['/metrics', '/', '/api/status', '/nothing'];
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

it('demands the token for everything but health, as bearer token or as password', async () => {
  const port = await start({ insecure: false, tokenFile });
  const ask = async (path: string, authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    return {
      status: response.status,
      text: await response.text(),
      demands: response.headers.get('www-authenticate'),
    };
  };
  const wrong = [
    'Bearer the-toke',
    'Bearer',
    basic('the-token'),
    basic('user:wrong'),
    basic(''),
    'the-token',
  ];
  for (const path of guarded) {
    for (const authorization of [undefined, ...wrong]) {
      const refused = await ask(path, authorization);
      expect(refused).toMatchObject({ status: 401, demands: expect.stringMatching(/^Basic realm=/) });
      expect(refused.text).toMatch(/^[^\n]*token[^\n]*\n$/);
      expect(refused.text).not.toContain('the-token');
    }
  }
  for (const authorization of [
    'Bearer the-token',
    'bearer  the-token',
    basic('prometheus:the-token'),
    basic(':the-token'),
  ]) {
    expect((await ask('/metrics', authorization)).text).toContain('process_cpu_seconds_total');
    expect((await ask('/', authorization)).text).toBe('the page');
    expect((await ask('/nothing', authorization)).status).toBe(404);
  }
  expect(await ask('/healthz')).toMatchObject({ status: 200, text: '{"ready":true,"problems":{}}\n' });
});

type Files = { readonly certificate: string; readonly key: string };
/** A request over TLS; what is wrong with the certificate where it fails. */
function askSecurely(
  url: string,
  {
    ca = authority.ca,
    shown,
    headers = {},
    agent,
  }: { ca?: string; shown?: Files; headers?: OutgoingHttpHeaders; agent?: Agent } = {},
): Promise<{ status: number | string | undefined; reused?: boolean }> {
  const pem = shown && { cert: readFileSync(shown.certificate), key: readFileSync(shown.key) };
  return new Promise((resolve) => {
    get(url, { ...pem, ca: readFileSync(ca), headers, agent: agent ?? false }, (response) => {
      response.resume();
      const reused = (response.socket as TLSSocket).isSessionReused();
      response.on('end', () => resolve({ status: response.statusCode, reused }));
    }).on('error', ({ code }: NodeJS.ErrnoException) => resolve({ status: code }));
  });
}

it('speaks TLS alone where the run has a certificate, and with the token too', async () => {
  const tls = { ...node, clientCertificates: false };
  const port = await start({ insecure: false, tls, tokenFile });
  const headers = { authorization: 'Bearer the-token' };
  expect(await askSecurely(`https://127.0.0.1:${port}/metrics`, { headers })).toMatchObject({ status: 200 });
  expect(await askSecurely(`https://127.0.0.1:${port}/metrics`)).toMatchObject({ status: 401 });
  expect(await askSecurely(`https://localhost:${port}/metrics`, { headers })).toMatchObject({
    status: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow();
});

it('demands a certificate of the CA for everything but health', async () => {
  const tls = { ...node, ca: authority.ca, clientCertificates: true };
  const port = await start({ insecure: false, tls });
  const url = `https://127.0.0.1:${port}`;
  for (const path of guarded) {
    expect(await askSecurely(url + path)).toMatchObject({ status: 403 });
    expect(await askSecurely(url + path, { shown: stranger })).toMatchObject({ status: 403 });
    expect(await askSecurely(url + path, { shown: caller })).toMatchObject({
      status: path === '/nothing' ? 404 : 200,
    });
  }
  expect(await askSecurely(`${url}/healthz`)).toMatchObject({ status: 200 });
});

it('is not deceived by a resumed session without a certificate', async () => {
  const tls = { ...node, ca: authority.ca, clientCertificates: true };
  const url = `https://127.0.0.1:${await start({ insecure: false, tls })}/metrics`;
  const agent = new Agent();
  expect(await askSecurely(url, { agent })).toEqual({ status: 403, reused: false });
  expect(await askSecurely(url, { agent })).toEqual({ status: 403, reused: true });
  agent.destroy();
});
