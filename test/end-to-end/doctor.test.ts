import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startNatsServer, type TestNatsServer } from '../support/nats-server.ts';
import { runCommand, startCommand } from './command.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

let corpus: SmallCorpus;
let path: string;
let output: string;
let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
  corpus = await makeSmallCorpus({ bytesOfDomain: 500 });
  ({ path, output } = await writeRunFile(corpus, { run: `end-to-end-doctor-${process.pid}` }));
});
afterAll(async () => {
  await corpus.remove();
  await nats.stop();
});

const demo = join(import.meta.dirname, '../../examples/demo.yaml');
const set = (...pairs: string[]) => pairs.flatMap((pair) => ['--set', pair]);
const doctor = (...parameters: string[]) => runCommand(['doctor', ...parameters]);

interface Report {
  readonly canRun: boolean;
  readonly machine: readonly { readonly name: string; readonly verdict: string; readonly text: string }[];
  readonly run: Report['machine'];
}

/** What `--json` prints, and the exit code that goes with it. */
async function report(...parameters: string[]): Promise<Report & { readonly problems: Report['run'] }> {
  const { code, stdout, stderr } = await doctor(...parameters, '--json');
  expect(stderr).toBe('');
  const told = JSON.parse(stdout) as Report;
  expect(code).toBe(told.canRun ? 0 : 1);
  const problems = [...told.machine, ...told.run].filter(({ verdict }) => verdict === 'problem');
  expect(problems.length > 0).toBe(!told.canRun);
  return { ...told, problems };
}

describe('fusemesh doctor', { timeout: 60_000 }, () => {
  test('says what this machine can do', async () => {
    const { code, stdout, stderr } = await doctor();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of ['Node.js', 'ONNX Runtime', 'memory', 'disk']) {
      expect(stdout).toMatch(new RegExp(`^ {2}ok +${name} `, 'm'));
    }
    expect(stdout).toMatch(/^ {2}(ok|note) +GPU/m);
    expect(stdout).toMatch(/^ {2}(ok|note) +nats-server/m);
    expect(stdout).toMatch(/can run on this machine\.\n$/);
  });

  test('finds that the demonstration can run', async () => {
    const { code, stdout, stderr } = await doctor(demo, ...set(`trainer.output=${output}`));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ {2}ok +memory +The training takes about .* are free$/m);
    expect(stdout).toMatch(/^ {2}ok +nats +nats-server 2\..* (which `fusemesh up` starts|with JetStream)$/m);
    expect(stdout).not.toContain('problem');
  });

  test('names everything that keeps a run from running, and writes nothing', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void occupant.close());
    await once(occupant, 'listening');
    const address = `127.0.0.1:${(occupant.address() as AddressInfo).port}`;
    const changes = [
      `teachers.0.model=${join(corpus.directory, 'no-model')}`,
      `teachers.1.address=${address}`,
      `corpus.0.path=${join(corpus.directory, 'no-text.txt')}`,
      `heldOut.0.path=${join(corpus.directory, 'no-text.txt')}`,
      `security.tokenFile=${join(corpus.directory, 'no-token')}`,
      'nats.url=nats://127.0.0.1:9',
      'trainer.tokensAtOnce=1000000000',
    ];
    const { code, stdout } = await doctor(path, ...set(...changes));
    expect(code).toBe(1);
    const lines = stdout.split('\n').filter((line) => line.startsWith('  problem'));
    const expected = [
      new RegExp(`teachers\\.1\\.address +${address} is in use by another program: end that, or set`),
      /security +security\.tokenFile: cannot read .*no-token \(ENOENT\): correct the path/,
      /nats +No NATS server answers at nats:\/\/127\.0\.0\.1:9 .*: start one/,
      /teachers\.0\.model +No model at .*no-model.*: give a Hugging Face directory/,
      /corpus +No text at .*no-text\.txt: correct the path/,
      /heldOut +No text at .*no-text\.txt: correct the path/,
      /memory +The training takes about .* are free: lower trainer\.tokensAtOnce/,
    ];
    expect(lines).toEqual(expected.map((line) => expect.stringMatching(line)));
    expect(stdout).toMatch(/cannot run on this machine: 7 problems above\.\n$/);
    expect(existsSync(output)).toBe(false);
  });

  test.each([
    ['that is not there', ['none.yaml'], /No run file at none\.yaml/],
    ['with a misspelt key', [demo, ...set('trainer.learningrate=1')], /did you mean "learningRate"/],
    ['that contradicts itself', [demo, ...set('trainer.join={atLeast: 9}')], /join\.atLeast is 9/],
  ])('says what is wrong with a run file %s', async (_, parameters, text) => {
    const { problems } = await report(...parameters);
    expect(problems).toEqual([{ name: 'run file', verdict: 'problem', text: expect.stringMatching(text) }]);
  });

  test('finds what an earlier run with other settings left in the way', async () => {
    const earlier = join(corpus.directory, 'earlier');
    await mkdir(earlier);
    const result = { domains: [], tokens: 1, seconds: 1, model: 'model' };
    await writeFile(join(earlier, 'result.json'), JSON.stringify({ settings: 'others', result }));
    const { problems } = await report(path, ...set(`trainer.output=${earlier}`));
    expect(problems).toEqual([
      {
        name: 'trainer.output',
        verdict: 'problem',
        text: expect.stringMatching(/holds a finished run with other settings: use --fresh/),
      },
    ]);
  });

  test.skipIf(existsSync('/dev/nvidia0'))(
    'finds that no GPU computes what the run wants on one',
    async () => {
      const cuda = ['teachers.0', 'target.source', 'trainer'].map((key) => `${key}.execution=cuda`);
      const { problems } = await report(path, ...set(...cuda));
      expect(problems.map(({ name }) => name)).toEqual([
        ...['teachers.0.execution', 'target.source.execution', 'trainer.execution'],
      ]);
      for (const { text } of problems) {
        expect(text).toMatch(/no NVIDIA driver here: install it .* No NVIDIA GPU is known here/);
      }
    },
  );

  test('asks the NATS server that the run names', async () => {
    const { problems, run } = await report(path, ...set(`nats.url=${nats.url}`));
    expect(problems).toEqual([]);
    expect(run).toContainEqual({
      name: 'nats',
      verdict: 'ok',
      text: expect.stringMatching(/^nats-server 2\.\d+\.\d+ answers at nats:.*, with JetStream$/),
    });
  });

  test("takes a port of the run's own process for none that is in use", async () => {
    const port = await freePort();
    const here = set(`teachers.0.address=127.0.0.1:${port}`, `nats.url=${nats.url}`);
    const teacher = startCommand(['teacher', path, 'orator', ...here], { LOG_LEVEL: 'silent' });
    try {
      let seen = '';
      while (!seen.includes(`127.0.0.1:${port} served`)) {
        await sleep(200);
        const { run } = await report(path, ...here);
        seen = run.find(({ name }) => name === 'ports')?.text ?? '';
      }
      expect((await report(path, ...here)).problems).toEqual([]);
      // Another run's teacher is in the way.
      const other = await report(path, ...here, ...set('run=another'));
      expect(other.problems).toMatchObject([{ name: 'teachers.0.address' }]);
    } finally {
      teacher.process.kill('SIGTERM');
      await teacher.finished;
    }
  });

  test('asks nothing of this machine that is another one’s', async () => {
    const address = '192.0.2.1:50051';
    const elsewhere = set(`teachers.0.address=${address}`, 'teachers.0.model=not/here');
    const { problems, run } = await report(path, ...elsewhere);
    expect(problems).toEqual([]);
    expect(run).toContainEqual({
      name: 'teachers.0.address',
      verdict: 'note',
      text: expect.stringMatching(/on another machine .*: start `fusemesh teacher RUN\.yaml orator` there/),
    });

    // Here is the target's frozen copy, and three teachers.
    const trainer = await report(path, ...set(`trainer.address=${address}`, 'corpus.0.path=not/here'));
    expect(trainer.problems).toEqual([]);
    expect(trainer.run.map(({ name }) => name)).toEqual([
      ...['run file', 'ports', 'trainer.address', 'security', 'nats', 'nats store'],
      ...['teachers.0.model', 'teachers.1.model', 'teachers.2.model', 'target.model'],
    ]);
  });
});
