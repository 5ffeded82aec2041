import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findTeachers } from '../../wire/discovery/find.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { listRuns } from '../../wire/nats/list-runs.ts';
import { startNatsServer, type TestNatsServer } from '../support/nats-server.ts';
import { runCommand } from './command.ts';
import { expectOneLine } from './expect-one-line.ts';
import { awaitTeachers, awaitTrainer, MeshOfProcesses } from './mesh-of-processes.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const first = `several-${process.pid}`;
/** As like the first's streams as a name can be. */
const second = `${first}-documents`;
const names = ['orator', 'novelist'];
/** What the second run has otherwise. */
const otherwise = { topK: 5, contextLength: 64, nats: { maxDocuments: 40, maxDistributions: 50 } };
let corpus: SmallCorpus;
let server: TestNatsServer;
let connection: NatsConnection;
let mesh: MeshOfProcesses;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 2500 });
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

const weights = (output: string) => readFile(join(output, 'model', 'model.safetensors'));
async function pausedTrainer(run: string) {
  const trainer = createClient(TrainerService, await awaitTrainer(connection, run));
  await trainer.pause({});
  return trainer;
}
const json = async (...parameters: string[]) => {
  const { stdout, stderr, code } = await runCommand([...parameters, '--nats', server.url, '--json']);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return JSON.parse(stdout);
};

test('two runs share one NATS and the same teachers, and each ends as it does alone', {
  timeout: 600_000,
}, async () => {
  const alone: Buffer[] = [];
  const anywhere = models(() => '127.0.0.1:0');
  for (const [run, more] of [[`${first}-alone`, {}] as const, [`${second}-alone`, otherwise] as const]) {
    const { path, output } = await writeRunFile(corpus, { run, changes: { ...anywhere, ...more } });
    const { code, stderr } = await runCommand(['up', path, '--json'], { NATS_URL: undefined });
    expect(code, stderr).toBe(0);
    alone.push(await weights(output));
  }
  expect(Buffer.compare(alone[0], alone[1])).not.toBe(0);

  const { path: teachersFile } = await writeRunFile(corpus, { run: first, changes: anywhere });
  for (const name of names) mesh.start('teacher', teachersFile, name);
  const teachers = await awaitTeachers(connection, first, 2);
  const places = models((name) => teachers.find(({ teacher }) => teacher === name)!.address);
  const runs = [
    await writeRunFile(corpus, { run: first, changes: places }),
    await writeRunFile(corpus, { run: second, changes: { ...otherwise, ...places } }),
  ];
  const trainers = runs.map(({ path }) => mesh.start('trainer', path));
  // Neither is done before the other has come.
  const held = await Promise.all([first, second].map((run) => pausedTrainer(run)));
  const feeders = runs.map(({ path }) => mesh.start('feed', path));
  await expect
    .poll(async () => (await findTeachers(connection)).map(({ work }) => work.length), { timeout: 180_000 })
    .toEqual([2, 2]);
  const refused = runCommand(['remove', second, '--nats', server.url, '--yes']);
  const [listed, onNats] = await Promise.all([json('teachers'), json('runs')]);
  expectOneLine(await refused, { code: 1, line: /trainer of run .*-documents is alive.*--force/ });
  expect(listed).toMatchObject(teachers.map(({ instance, address }) => ({ instance, address })));
  const ours = onNats.filter(({ run }: { run: string }) => [first, second].includes(run));
  expect(ours).toMatchObject([
    { run: first, trainer: { run: first, state: expect.any(String) } },
    { run: second, trainer: { run: second } },
  ]);
  for (const trainer of held) {
    await trainer.resume({});
    trainer.close();
  }

  for (const { finished } of [...feeders, ...trainers]) {
    const { code, stderr } = await finished;
    expect(code, stderr).toBe(0);
  }
  for (const [i, { output }] of runs.entries()) {
    expect(Buffer.compare(await weights(output), alone[i])).toBe(0);
  }
  expect((await findTeachers(connection)).map(({ work }) => work)).toEqual([[], []]);
});

test('a run is removed after a word of consent, and its neighbour stays', { timeout: 180_000 }, async () => {
  const runs = async () =>
    (await listRuns(connection)).map(({ run }) => run).filter((run) => run.startsWith(first));
  const nats = ['--nats', server.url];
  expectOneLine(await runCommand(['remove', first, ...nats]), { code: 2, line: /Remove run .*add --yes/ });
  expect(await runs()).toEqual([first, second]);

  const removed = await runCommand(['remove', first, ...nats, '--yes']);
  expect(removed).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining(`Removed run ${first} `),
  });
  expect(await runs()).toEqual([second]);
  expectOneLine(await runCommand(['remove', first, ...nats, '--yes']), {
    code: 2,
    line: new RegExp(`no run ${first} on .*${second}`),
  });
  expectOneLine(await runCommand(['remove', 'a_documents', ...nats, '--yes']), {
    code: 2,
    line: /no name of a run/,
  });

  const path = join(corpus.directory, `${second}.yaml`);
  const byFile = await runCommand(['remove', path, '--yes'], { NATS_URL: server.url });
  expect(byFile).toMatchObject({ code: 0, stderr: '' });
  expect(await runs()).toEqual([]);
});

test('what lists a NATS server needs to know which', { timeout: 180_000 }, async () => {
  for (const verb of ['teachers', 'runs']) {
    expectOneLine(await runCommand([verb], { NATS_URL: undefined }), { code: 2, line: /--nats URL/ });
    expectOneLine(await runCommand([verb, '--nats', 'nats://127.0.0.1:9']), {
      code: 1,
      line: /No NATS server answers at nats:\/\/127\.0\.0\.1:9/,
    });
  }
});

/** The part of a run file that tells of the models, and where the teachers are. */
function models(address: (name: string) => string): object {
  const teachers = names.map((name) => ({ name, address: address(name), model: join(zoo, name) }));
  return { teachers, target: { model: join(zoo, 'target') } };
}
