import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { runNames } from '../../wire/nats/names.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { registerService } from '../../wire/nats/services.ts';
import { openWeights } from '../../wire/nats/weights.ts';
import { runCommand, startCommand } from '../end-to-end/command.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile, zoo } from '../end-to-end/small-run.ts';
import { freePort } from '../support/free-port.ts';
import { startSecuredNats } from '../support/secured-nats-server.ts';

const file = fileURLToPath(new URL('../../deploy/nats-accounts.conf', import.meta.url));
const run = `permitted-${process.pid}`;
let directory: string;
let corpus: SmallCorpus;
let server: Awaited<ReturnType<typeof startSecuredNats>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-permissions-'));
  corpus = await makeSmallCorpus({ bytesOfDomain: 1_500 });
  const accounts = readFileSync(file, 'utf8').replaceAll(/\$FUSEMESH_(\w+)_PASSWORD/g, (_, kind: string) =>
    JSON.stringify(`of-${kind.toLowerCase()}`),
  );
  server = await startSecuredNats(directory, [accounts]);
});
afterAll(async () => {
  await server?.stop();
  await corpus?.remove();
  await rm(directory, { recursive: true, force: true });
});

type Kind = 'teacher' | 'feeder' | 'trainer' | 'target' | 'viewer';
const environmentOf = (kind: Kind) => ({
  NATS_URL: `nats://127.0.0.1:${server.port}`,
  NATS_USER: kind,
  NATS_PASSWORD: `of-${kind}`,
  LOG_LEVEL: 'warn',
});
const connected = (kind: Kind): Promise<NatsConnection> =>
  connectNats(`nats://${kind}:of-${kind}@127.0.0.1:${server.port}`, 'test');

test('a run goes through with what each process is permitted, and its viewer sees it', {
  timeout: 300_000,
}, async () => {
  const { path } = await writeRunFile(corpus, {
    run,
    changes: {
      teachers: [{ name: 'orator', address: `127.0.0.1:${await freePort()}`, model: join(zoo, 'orator') }],
      target: { model: join(zoo, 'target') },
    },
  });
  const teacher = startCommand(['teacher', path, 'orator'], environmentOf('teacher'));
  const feeder = startCommand(['feed', path], environmentOf('feeder'));
  const trainer = startCommand(['trainer', path], environmentOf('trainer'));
  const trained = await trainer.finished;
  expect(trained.code, trained.stderr).toBe(0);
  expect((await feeder.finished).code).toBe(0);

  for (const view of [
    ['runs', path],
    ['status', path],
    ['dead-letters', path],
  ]) {
    const { code, stderr } = await runCommand(view, environmentOf('viewer'));
    expect(code, stderr).toBe(0);
  }
  const { stdout } = await runCommand(['teachers', path, '--json'], environmentOf('viewer'));
  expect(stdout).toContain('orator');
  teacher.process.kill('SIGTERM');
  await teacher.finished;
  expect((await server.log()).match(/Permissions Violation.*/g) ?? []).toEqual([]);
});

test.each(['teacher', 'viewer', 'trainer', 'target'] as const)('a %s removes no run', async (kind) => {
  const connection = await connected(kind);
  await expect(openRunStreams(connection, run).remove()).rejects.toMatchObject({ code: 'permission_denied' });
  await connection.close();
});

test('a trainer publishes weights, which a target service reads and does not write', async () => {
  const [trainer, target] = [await connected('trainer'), await connected('target')];
  const content = { step: 3, parts: [new Uint8Array(100)], metadata: {} };
  const published = openWeights(trainer, run).publish(content, { patience: 10, replicas: 1 });
  expect(await published).toMatchObject({ step: 3, bytes: 100 });
  const { signal } = new AbortController();
  for await (const weights of openWeights(target, run).follow(signal)) {
    let bytes = 0;
    await openWeights(target, run).read(weights, async (chunk) => (bytes += chunk.length), signal);
    expect(bytes).toBe(100);
    break;
  }
  const refused = openWeights(target, run).publish({ ...content, step: 4 }, { patience: 10, replicas: 1 });
  await expect(refused).rejects.toMatchObject({ code: 'permission_denied' });
  await trainer.close();
  await target.close();
});

test('a teacher writes no documents, and a viewer nothing', async () => {
  for (const kind of ['teacher', 'viewer'] as const) {
    const connection = await connected(kind);
    const { documentsSubject } = runNames(run);
    const published = connection.raw.jetstream().publish(documentsSubject, 'x', { timeout: 1_000 });
    await expect(published).rejects.toThrow();
    await connection.close();
  }
});

test('who may not be found is told so', async () => {
  const connection = await connected('feeder');
  const registered = registerService(connection, {
    name: 'fusemesh-teacher',
    description: 'test',
    metadata: {},
    load: () => ({}),
  });
  await expect(registered).rejects.toMatchObject({
    code: 'permission_denied',
    message: expect.stringContaining('$SRV'),
  });
  await connection.close();
});
