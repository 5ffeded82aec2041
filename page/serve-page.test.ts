import { request as httpRequest } from 'node:http';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HttpServer, serveHttp } from '../process/http/serve-http.ts';
import { createLog } from '../process/log/log.ts';
import { type ExampleRun, exampleRun } from '../test/support/example-run.ts';
import {
  GetAlignmentResponseSchema,
  GetHistoryResponseSchema,
  GetStatusResponseSchema,
} from '../wire/generated/fusemesh/v1/trainer_pb.ts';
import { type ServedPage, servePage } from './serve-page.ts';

let server: HttpServer;
let page: ServedPage;
let run: ExampleRun;
let hasAlignment = true;
let asked: number[] = [];

beforeAll(async () => {
  run = await exampleRun(20);
  page = servePage({
    status: () => run.status,
    history: (afterStep) => {
      asked.push(afterStep);
      if (afterStep === 13) throw new Error('an unlucky step');
      return run.history;
    },
    alignment: () => (hasAlignment ? run.alignment : undefined),
  });
  server = await serveHttp(new Registry(), {
    host: '127.0.0.1',
    port: 0,
    log: createLog('test', { level: 'silent' }),
    route: page.route,
  });
});

afterAll(() => server.stop());

const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);

it.each([
  ['/', 'text/html; charset=utf-8'],
  ['/page.js', 'text/javascript; charset=utf-8'],
  ['/page.css', 'text/css; charset=utf-8'],
  ['/favicon.svg', 'image/svg+xml'],
])('serves %s, and says that it is unchanged where it is', async (path, type) => {
  const response = await ask(path);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe(type);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
  expect(response.headers.get('content-security-policy')).not.toContain('unsafe');
  expect(await response.text()).not.toBe('');

  const etag = response.headers.get('etag')!;
  const again = await ask(path, { headers: { 'If-None-Match': etag } });
  expect(again.status).toBe(304);
  const other = await ask(path, { headers: { 'If-None-Match': '"other"' } });
  expect(other.status).toBe(200);
});

it('has no script or style in its document', async () => {
  const html = await (await ask('/')).text();
  expect(html).not.toMatch(/<script(?![^>]* src=)|<style|style=|\son\w+=/);
});

it('answers with messages in protobuf’s JSON', async () => {
  const status = await ask('/api/status');
  expect(status.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(status.headers.get('cache-control')).toBe('no-store');
  expect(fromJson(GetStatusResponseSchema, (await status.json()) as JsonValue)).toEqual(run.status);
  const history = await ask('/api/history?after_step=7');
  expect(fromJson(GetHistoryResponseSchema, (await history.json()) as JsonValue)).toEqual(run.history);
  const alignment = await ask('/api/alignment');
  expect(fromJson(GetAlignmentResponseSchema, (await alignment.json()) as JsonValue)).toEqual(run.alignment);
});

it('asks for the history behind a step, from the beginning without one', async () => {
  asked = [];
  await ask('/api/history?after_step=7');
  await ask('/api/history');
  expect(asked).toEqual([7, 0]);
});

it.each(['-1', '1.5', 'x', '', '99999999999999999999'])('refuses after_step=%s', async (step) => {
  const response = await ask(`/api/history?after_step=${step}`);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({
    code: 'invalid_argument',
    message: `after_step=${step}: give the number of a step, 0 or more`,
  });
});

it('says that there is no alignment yet', async () => {
  hasAlignment = false;
  const response = await ask('/api/alignment');
  hasAlignment = true;
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: 'not_found' });
});

it('is read and nothing else', async () => {
  const posted = await ask('/api/status', { method: 'POST' });
  expect(posted.status).toBe(405);
  expect(posted.headers.get('allow')).toBe('GET, HEAD');
  const head = await ask('/page.css', { method: 'HEAD' });
  expect(head.status).toBe(200);
  expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1000);
  expect(await head.text()).toBe('');
});

it('leaves other paths to the server, and lives through odd ones', async () => {
  expect((await ask('/metrics')).status).toBe(200);
  expect((await ask('/healthz')).status).toBe(200);
  for (const path of ['/nothing', '/constructor', '/api', '//[', '/%E0%A4%A', '/../etc/passwd']) {
    expect(await statusOf(path), path).toBe(404);
  }
});

it('answers an error where its source fails', async () => {
  const response = await ask('/api/history?after_step=13');
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({ code: 'internal', message: 'an unlucky step' });
});

it('waits at the end for those who have the page open, and for nobody else', async () => {
  const nobody = servePage({
    status: () => run.status,
    history: () => run.history,
    alignment: () => undefined,
  });
  const began = performance.now();
  await nobody.farewell();
  expect(performance.now() - began).toBeLessThan(500);
  await ask('/api/status');
  const asked = performance.now();
  await page.farewell();
  // More than the second after which an open page asks again.
  expect(performance.now() - asked).toBeGreaterThan(1_200);
});

/** A path as it is, which fetch would repair. */
const statusOf = (path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port: server.port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
