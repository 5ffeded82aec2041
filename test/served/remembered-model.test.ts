import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type RunningCommand, runCommand } from '../end-to-end/command.ts';
import { MeshOfProcesses } from '../end-to-end/mesh-of-processes.ts';
import {
  awaitCheckpoint,
  makeSmallCorpus,
  newestCheckpointStep,
  type SmallCorpus,
  writeRunFile,
} from '../end-to-end/small-run.ts';
import { freePort } from '../support/free-port.ts';
import { startNatsServer, type TestNatsServer } from '../support/nats-server.ts';
import { zooModel } from './connect-served.ts';
import { faults } from './faults/faults.ts';
import { ServedServer } from './served-server.ts';

const run = `served-remembered-${process.pid}`;
let nats: TestNatsServer;
let server: ServedServer;
let corpus: SmallCorpus;
let mesh: MeshOfProcesses;

beforeAll(async () => {
  nats = await startNatsServer();
  server = await ServedServer.start({ api: 'vllm', directory: zooModel('orator') });
  corpus = await makeSmallCorpus({ bytesOfDomain: 3000 });
  mesh = new MeshOfProcesses(nats.url);
});
afterAll(async () => {
  await mesh?.stop();
  await server?.stop();
  await nats?.stop();
  await corpus?.remove();
});

it('a model exchanged while its teacher was away is refused, by a trainer that was started again too, and not learnt from', {
  timeout: 600_000,
}, async () => {
  const settings = (addresses: readonly string[], orator: object) => ({
    // Little room, so that there is work left when the server is exchanged.
    nats: { maxDocuments: 8, maxDistributions: 8 },
    teachers: [
      { name: 'orator', address: addresses[0], ...orator },
      { name: 'novelist', address: addresses[1], model: zooModel('novelist') },
    ],
    target: { model: zooModel('target') },
  });
  const anywhere = ['127.0.0.1:0', '127.0.0.1:0'];
  const own = await writeRunFile(corpus, {
    run: `${run}-own`,
    changes: settings(anywhere, { model: zooModel('orator') }),
  });
  const { code, stderr } = await runCommand(['up', own.path, '--json'], { NATS_URL: undefined });
  expect(code, stderr).toBe(0);

  const addresses = await Promise.all(anywhere.map(async () => `127.0.0.1:${await freePort()}`));
  const { path, output } = await writeRunFile(corpus, {
    run,
    changes: settings(addresses, {
      served: { url: server.url, api: 'vllm', model: 'model' },
      tokenizer: zooModel('orator'),
    }),
  });
  const startOrator = () => mesh.start('teacher', path, 'orator');
  let orator = startOrator();
  mesh.start('teacher', path, 'novelist');
  mesh.start('feed', path);
  let trainer = mesh.start('trainer', path);
  await awaitCheckpoint(output, 1);

  await kill(orator);
  await server.die();
  server.misbehave(faults.otherModel);
  await server.listen();
  const refused = /its model is another one .*log-probabilities.* nats apart.* than when this training began/;
  const noticed = says(trainer, refused);
  orator = startOrator();
  await noticed;
  await kill(trainer);
  trainer = mesh.start('trainer', path);
  await says(trainer, refused);
  const step = await newestCheckpointStep(output);

  await kill(orator);
  await server.die();
  server.misbehave(undefined);
  await server.listen();
  orator = startOrator();
  const finished = await trainer.finished;
  expect(finished.code, finished.stderr).toBe(0);
  expect(await newestCheckpointStep(output)).toBeGreaterThan(step);
  expect(await digestOf(output)).toBe(await digestOf(own.output));
});

async function kill({ process, finished }: RunningCommand): Promise<void> {
  process.kill('SIGKILL');
  await finished;
}

/** Waits until a process has said something. */
function says({ process }: RunningCommand, what: RegExp): Promise<void> {
  return new Promise((resolve) => {
    let said = '';
    const hear = (text: string) => {
      said += text;
      if (what.test(said)) resolve();
    };
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on('data', hear);
      onTestFinished(() => void stream?.off('data', hear));
    }
  });
}

async function digestOf(output: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(output, 'model', 'model.safetensors')))
    .digest('hex');
}
