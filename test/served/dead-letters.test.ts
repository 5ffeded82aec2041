import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../end-to-end/command.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from '../end-to-end/small-run.ts';
import { startNatsServer, type TestNatsServer } from '../support/nats-server.ts';
import { zooModel } from './connect-served.ts';
import { faults } from './faults/faults.ts';
import { ServedServer } from './served-server.ts';

const run = `served-letters-${process.pid}`;
let nats: TestNatsServer;
let server: ServedServer;
let corpus: SmallCorpus;
/** Prompts that are always answered wrongly. */
const met = new Set<string>();

beforeAll(async () => {
  nats = await startNatsServer();
  server = await ServedServer.start({ api: 'vllm', directory: zooModel('orator') });
  corpus = await makeSmallCorpus({ bytesOfDomain: 3000 });
});
afterAll(async () => {
  await server?.stop();
  await nats?.stop();
  await corpus?.remove();
});

it('puts a document that a server never answers rightly into the dead letters, and the run goes on', {
  timeout: 300_000,
}, async () => {
  server.misbehave({
    answer: (answer) => {
      // Longer than the texts of the probe.
      if (answer.ids.length < 80 || answer.ids[3] % 2 === 0) return answer;
      met.add(answer.ids.join());
      return faults.massAboveOne.answer?.(answer) ?? answer;
    },
  });
  const { path, output } = await writeRunFile(corpus, {
    run,
    changes: {
      nats: { url: nats.url },
      teachers: [
        {
          name: 'orator',
          address: '127.0.0.1:0',
          served: { url: server.url, api: 'vllm', model: 'model' },
          tokenizer: zooModel('orator'),
        },
        { name: 'novelist', address: '127.0.0.1:0', model: zooModel('novelist') },
      ],
    },
  });
  const { code, stderr } = await runCommand(['up', path, '--json'], { NATS_URL: undefined });
  expect(code, stderr).toBe(0);
  // The run's streams are gone with it; the teacher has told what it put aside.
  const log = await readFile(join(output, 'logs', 'teacher-orator.log'), 'utf8');
  const refused = log.split('\n').filter((line) => line.includes('goes to the dead letters'));
  expect(met.size).toBeGreaterThan(0);
  expect(refused).toHaveLength(met.size);
  for (const line of refused) expect(line).toMatch(/The answer cannot be used: .* have the mass 1\.\d+/);
});
