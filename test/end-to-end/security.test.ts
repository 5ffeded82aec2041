import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findPrograms } from '../../cli/observe/find-program.ts';
import { type RunningProcess, readProcesses } from '../../cli/reach/processes-file.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { createAuthority } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningCommand, runCommand, startCommand } from './command.ts';
import { expectOneLine } from './expect-one-line.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

// One run with certificates on both sides and a token in the environment, paused while everything is tried.
const run = `end-to-end-secured-${process.pid}`;
const token = 'c0ffee-the-token-of-this-run-c0ffee';
const secret = { FUSEMESH_TOKEN: token, LOG_LEVEL: 'trace' };
const [prometheusProgram] = findPrograms(['prometheus']);
let corpus: SmallCorpus;
let path: string;
let output: string;
let tls: { ca: string; certificate: string; key: string; clientCertificates: boolean };
let wrongTokenFile: string;
let up: RunningCommand;
let observe: RunningCommand | undefined;
let processes: readonly RunningProcess[];
let commandLines = '';
const trainer = () => processes.find(({ kind }) => kind === 'trainer')!;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 2500 });
  const authority = createAuthority(corpus.directory);
  const files = authority.sign('node', ['IP:127.0.0.1', 'DNS:localhost']);
  tls = { ca: authority.ca, ...files, clientCertificates: true };
  wrongTokenFile = join(corpus.directory, 'wrong-token');
  await writeFile(wrongTokenFile, 'wrong\n');
  ({ path, output } = await writeRunFile(corpus, { run, changes: { security: { tls } } }));
});
afterAll(async () => {
  const commands = [observe, up];
  for (const command of commands) command?.process.kill('SIGTERM');
  await Promise.all(commands.map((command) => command?.finished));
  await corpus.remove();
});

const security = (file?: string) => ({
  insecure: false,
  tls,
  ...(file !== undefined && { tokenFile: file }),
});
/** A client of this test, which has the token in a file. */
async function withToken() {
  const file = join(corpus.directory, 'right-token');
  await writeFile(file, `${token}\n`);
  return security(file);
}

test('a run with certificates and a token starts and trains', async () => {
  const port = await freePort();
  if (prometheusProgram) {
    observe = startCommand(['observe', path, `--prometheus-port=${port}`, '--grafana-port=0'], secret);
  }
  up = startCommand(['up', path], secret);
  for (;;) {
    const running = await readProcesses(output);
    processes = running.state === 'running' ? running.processes : [];
    if (processes.some(({ kind }) => kind === 'trainer')) break;
    if (up.process.exitCode !== null) throw new Error((await up.finished).stderr);
    await sleep(20);
  }
  const client = createClient(TrainerService, trainer().grpc, await withToken());
  while (((await client.getStatus({})).lastStep?.step ?? 0n) < 1n) await sleep(10);
  await client.pause({});
  client.close();
  commandLines = await allCommandLines();

  if (!observe) return;
  const targets = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/targets`).catch(() => undefined);
    if (!answer?.ok) return [];
    const { data } = (await answer.json()) as { data: { activeTargets: { health: string }[] } };
    return data.activeTargets.map(({ health }) => health);
  };
  await expect.poll(targets, { timeout: 60_000, interval: 200 }).toEqual(Array(5).fill('up'));
});

test('no process of it answers gRPC without the token, or without a certificate', async () => {
  for (const { kind, grpc } of processes) {
    const ask = async (settings: Parameters<typeof createClient>[2]) => {
      const client =
        kind === 'trainer'
          ? createClient(TrainerService, grpc, settings)
          : createClient(TeacherService, grpc, settings);
      try {
        if ('getStatus' in client) await client.getStatus({}, { timeoutMs: 10_000 });
        else await client.getModelCard({}, { timeoutMs: 10_000 });
      } finally {
        client.close();
      }
    };
    await ask(await withToken());
    await expect(ask(security(wrongTokenFile))).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(ask(security())).rejects.toMatchObject({ code: 'unauthenticated' });
    const noCertificate = { ...(await withToken()), tls: { ...tls, clientCertificates: false } };
    await expect(ask(noCertificate)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(ask({ insecure: false })).rejects.toMatchObject({ code: 'unavailable' });
  }
});

test('no process of it shows metrics or its page without them', async () => {
  const [ca, cert, key] = await Promise.all([tls.ca, tls.certificate, tls.key].map((file) => readFile(file)));
  const ask = (port: number, where: string, options: RequestOptions) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: where, ca, agent: false, ...options }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  const ofTrainer = ['/', '/page.js', '/api/status', '/api/history', '/metrics'];
  for (const { kind, metricsPort } of processes) {
    for (const where of kind === 'trainer' ? ofTrainer : ['/metrics']) {
      const authorization = `Bearer ${token}`;
      const basic = `Basic ${Buffer.from(`somebody:${token}`).toString('base64')}`;
      expect(await ask(metricsPort, where, { cert, key, headers: { authorization } })).toBe(200);
      expect(await ask(metricsPort, where, { cert, key, headers: { authorization: basic } })).toBe(200);
      expect(await ask(metricsPort, where, { cert, key })).toBe(401);
      expect(await ask(metricsPort, where, { cert, key, headers: { authorization: 'Bearer x' } })).toBe(401);
      expect(await ask(metricsPort, where, { headers: { authorization } })).toBe(403);
    }
    expect(await ask(metricsPort, '/healthz', {})).toBe(200);
  }
});

test('its own NATS server lets in who can read its directory, and nobody else', async () => {
  const ofTrainer = commandLines.split('\n').find((line) => line.includes(`trainer ${path}`));
  const url = /nats\.url=(nats:\/\/127\.0\.0\.1:\d+)/.exec(ofTrainer!)![1];
  const tokenFile = join(output, 'nats', 'token');
  await (await connectNats({ nats: { url, tokenFile }, security: { insecure: false } }, 'test')).close();
  await expect(connectNats(url, 'test')).rejects.toMatchObject({ code: 'unauthenticated' });
  const other = { url, tokenFile: wrongTokenFile };
  const entering = connectNats({ nats: other, security: { insecure: false } }, 'test');
  await expect(entering).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('commands get in by the run file and the environment, or say in one line why not', async () => {
  expect((await runCommand(['status', path], secret)).stdout).toMatch(new RegExp(`^run ${run}  paused`));
  const line = /The call carries (no|a wrong) token/;
  expectOneLine(await runCommand(['status', path]), { code: 1, line });
  const wrong = await runCommand(['status', path], { FUSEMESH_TOKEN: 'not-it' });
  expectOneLine(wrong, { code: 1, line });
  const given = await runCommand(['status', path, '--set', `security.token=${token}`]);
  expectOneLine(given, {
    code: 2,
    line: /--set security\.token: a secret does not belong on a command line/,
  });
  expect(wrong.stderr + given.stderr).not.toMatch(new RegExp(`${token}|not-it`));
});

test('ends like any other run, and neither secret is anywhere that others can see', {
  timeout: 180_000,
}, async () => {
  const client = createClient(TrainerService, trainer().grpc, await withToken());
  await client.resume({});
  client.close();
  const { code, stdout, stderr } = await up.finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  observe?.process.kill('SIGINT');
  const said = [stdout, ...Object.values((await observe?.finished) ?? {}).map(String), commandLines];

  const ofNats = (await readFile(join(output, 'nats', 'token'), 'utf8')).trim();
  expect(ofNats).toMatch(/^[0-9a-f]{64}$/);
  const holders: string[] = [];
  for (const entry of await readdir(output, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const content = await readFile(file, 'latin1');
    if (content.includes(token) || content.includes(ofNats)) holders.push(file.slice(output.length + 1));
  }
  const allowed = [...(observe ? ['observe/token'] : []), 'nats/nats-server.conf', 'nats/token'];
  expect(holders.sort()).toEqual(allowed.sort());
  for (const text of said) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(ofNats);
  }
  expect(commandLines.split('\n').filter((line) => line.includes(path)).length).toBeGreaterThan(5);
  const logs = await readdir(join(output, 'logs'));
  expect(logs.length).toBe(6);
});

/** What `ps` shows every user of this machine. */
async function allCommandLines(): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-e', '-o', 'args'], { maxBuffer: 64 << 20 });
  return stdout;
}
