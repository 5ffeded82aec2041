import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand, startCommand } from '../end-to-end/command.ts';
import { KeptProcess } from '../end-to-end/kept-process.ts';
import {
  awaitCheckpoint,
  logLines,
  makeSmallCorpus,
  type SmallCorpus,
  writeRunFile,
} from '../end-to-end/small-run.ts';
import { freePort } from '../support/free-port.ts';
import { zooModel } from './connect-served.ts';
import { servedApis } from './served-apis.ts';

const program = fileURLToPath(new URL('./server-worker.ts', import.meta.url));
const names = ['orator', 'novelist', 'engineer'];
let corpus: SmallCorpus;
/** Of the fused model's weights, where every teacher is one of our own. */
let ownWeights: string;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 3000 });
  const { path, output } = await writeRunFile(corpus, { run: 'own', changes: {} });
  const { code, stderr } = await runCommand(['up', path, '--json'], { NATS_URL: undefined });
  expect(code, stderr).toBe(0);
  ownWeights = await digestOf(output);
}, 300_000);
afterAll(() => corpus?.remove());

it.each(servedApis)(
  'gives the same weights as own teachers, to the bit, with a %s that is killed in the middle',
  { timeout: 300_000 },
  async (api) => {
    const port = await freePort();
    const command = [process.execPath, '--import', 'tsx', program, '--api', api];
    const settings = ['--directory', zooModel('orator'), '--port', String(port)];
    const server = new KeptProcess('server', [...command, ...settings], { mayEnd: false });
    server.start();
    const { path, output } = await writeRunFile(corpus, {
      run: api,
      changes: {
        // Little room, so that there is work left when the server is killed.
        nats: { maxDocuments: 8, maxDistributions: 8 },
        teachers: names.map((name) => ({
          name,
          address: '127.0.0.1:0',
          ...(name === 'orator'
            ? {
                served: { url: `http://127.0.0.1:${port}`, api, model: 'model' },
                tokenizer: zooModel(name),
              }
            : { model: zooModel(name) }),
        })),
      },
    });
    const up = startCommand(['up', path, '--json'], { NATS_URL: undefined });
    try {
      await Promise.race([awaitCheckpoint(output, 1), up.finished]);
      await server.kill();
      const { code, stderr, stdout } = await up.finished;
      expect(code, stderr + stdout).toBe(0);
    } finally {
      up.process.kill('SIGTERM');
      await server.stop();
    }
    expect(server.lives.map(({ end }) => end)).toEqual(['killed', 'stopped']);
    const said = JSON.stringify(await logLines(output, 'teacher-orator'));
    expect(said).toContain('texts wait until it answers again');
    expect(await digestOf(output)).toBe(ownWeights);
  },
);

async function digestOf(output: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(output, 'model', 'model.safetensors')))
    .digest('hex');
}
