import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findTeachers } from '../../wire/discovery/find.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { startNatsServer, type TestNatsServer } from '../support/nats-server.ts';
import { runCommand } from './command.ts';
import { awaitTeachers, awaitTrainer, MeshOfProcesses } from './mesh-of-processes.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const run = `replicas-${process.pid}`;
/** Few documents at a time, so that there is work left for who comes late. */
const nats = { maxDocuments: 8, maxDistributions: 8 };
const names = ['orator', 'novelist'];
let corpus: SmallCorpus;
let server: TestNatsServer;
let connection: NatsConnection;
let mesh: MeshOfProcesses;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 8000 });
  server = await startNatsServer();
  connection = await connectNats(server.url, 'test');
  mesh = new MeshOfProcesses(server.url);
});
afterAll(async () => {
  await mesh?.stop();
  await connection?.close();
  await server?.stop();
  await corpus?.remove();
});

const changes = (address: (name: string) => string) => ({
  nats,
  teachers: names.map((name) => ({
    name,
    address: address(name),
    model: join(zoo, name),
    batchDocuments: 2,
  })),
  target: { model: join(zoo, 'target') },
});
const weights = (output: string) => readFile(join(output, 'model', 'model.safetensors'));

test('a replica joins in the middle, covers one that is killed, and the weights are those of one replica', {
  timeout: 600_000,
}, async () => {
  const single = await writeRunFile(corpus, { run: `${run}-single`, changes: changes(() => '127.0.0.1:0') });
  const { code, stderr } = await runCommand(['up', single.path, '--json'], { NATS_URL: undefined });
  expect(code, stderr).toBe(0);

  const anywhere = await writeRunFile(corpus, { run, changes: changes(() => '127.0.0.1:0') });
  const [orator] = names.map((name) => mesh.start('teacher', anywhere.path, name));
  const started = await awaitTeachers(connection, run, 2);
  const at = (name: string) => started.find(({ teacher }) => teacher === name)!;
  const { path, output } = await writeRunFile(corpus, { run, changes: changes((name) => at(name).address) });
  const training = mesh.start('trainer', path);
  const trainer = createClient(TrainerService, await awaitTrainer(connection, run));
  await trainer.pause({});
  mesh.start('feed', path);

  // As on another machine: the address of the run file is not its own.
  const elsewhere = ['listen=0.0.0.0:0', 'advertise=localhost:0'];
  const settings = [...elsewhere.map((setting) => `teachers.0.${setting}`), 'security.insecure=true'];
  const late = mesh.start('teacher', path, 'orator', ...settings.flatMap((setting) => ['--set', setting]));
  const replicas = async () =>
    (await trainer.getStatus({})).sources.map(({ teacher, replicas }) => [teacher, replicas]);
  await expect.poll(replicas, { timeout: 120_000 }).toEqual([
    ['orator', 2],
    ['novelist', 1],
  ]);
  await trainer.resume({});
  const scoredByLate = async () => {
    const all = await findTeachers(connection);
    const other = all.find(
      ({ teacher, instance }) => teacher === 'orator' && instance !== at('orator').instance,
    );
    return other?.work[0]?.documentsScored ?? 0;
  };
  await expect.poll(scoredByLate, { timeout: 120_000 }).toBeGreaterThan(0);
  const addresses = (await findTeachers(connection)).map(({ address }) => address);
  expect(addresses).toContainEqual(expect.stringMatching(/^localhost:\d+$/));

  // Held still it keeps what it has in hand and is given more, which it never gives back.
  orator.process.kill('SIGSTOP');
  await sleep(1_000);
  orator.process.kill('SIGKILL');
  expect((await orator.finished).code).toBeNull();
  await expect.poll(replicas, { timeout: 120_000 }).toEqual([
    ['orator', 1],
    ['novelist', 1],
  ]);
  trainer.close();

  const trained = await training.finished;
  expect(trained.code, trained.stderr).toBe(0);
  expect(Buffer.compare(await weights(output), await weights(single.output))).toBe(0);

  // It has left the run and can still be found, until it is told to end.
  expect(await awaitTeachers(connection, run, 2)).toMatchObject([{ work: [] }, { work: [] }]);
  late.process.kill('SIGTERM');
  expect(await late.finished).toMatchObject({ code: 0 });
  await awaitTeachers(connection, run, 1);
});
