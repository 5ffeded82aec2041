import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { runCommand, startCommand } from './command.ts';
import { expectOneLine } from './expect-one-line.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

let corpus: SmallCorpus;
let path: string;
let output: string;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 500 });
  ({ path, output } = await writeRunFile(corpus, { run: `end-to-end-errors-${process.pid}` }));
});
afterAll(() => corpus.remove());

const quiet = { LOG_LEVEL: 'silent' };

describe('one line that says what to do, and an exit code', { timeout: 60_000 }, () => {
  test('no run file', async () => {
    const finished = await runCommand(['up', join(corpus.directory, 'none.yaml')]);
    expectOneLine(finished, { code: 2, line: /none\.yaml/ });
  });

  test('a misspelt key, with what was meant', async () => {
    const finished = await runCommand(['up', path, '--set', 'trainer.learningrate=1']);
    expectOneLine(finished, { code: 2, line: /trainer\.learningrate.*learningRate/ });
  });

  test.each([
    ['checkpoints too rare for the streams', ['trainer.checkpointEvery=1000'], /nats\.maxDocuments is 1024/],
    ['weights of no source', ['fusion.weights={poet: 1}'], /\.yaml: fusion\.weights names "poet"/],
    [
      'more sources waited for than there are',
      ['trainer.join={atLeast: 9}'],
      /join\.atLeast is 9.* 4 sources/,
    ],
    ['a certificate that nobody has', ['security.tls={}'], /security\.tls: what serves needs a certificate/],
  ])('%s, before any process starts', async (_, settings, line) => {
    const port = await freePort();
    const set = [`trainer.address=127.0.0.1:${port}`, ...settings].flatMap((pair) => ['--set', pair]);
    const up = startCommand(['up', path, ...set]);
    const listened = listensUntil(port, up.finished);
    expectOneLine(await up.finished, { code: 2, line });
    expect(await listened).toBe(false);
    expect(existsSync(output)).toBe(false);
  });

  test('a missing model file, seen from one teacher and from the whole mesh', async () => {
    const missing = ['--set', `teachers.0.model=${join(corpus.directory, 'no-model')}`];
    const line = /no-model/;
    expectOneLine(await runCommand(['teacher', path, 'orator', ...missing], quiet), { code: 2, line });
    expectOneLine(await runCommand(['up', path, ...missing]), { code: 2, line });
  });

  test.each(['teachers.1', 'target.source', 'trainer'])(
    'a GPU that %s asks for and there is not',
    async (key) => {
      const asked = [`${key}.execution=cuda`, `${key}.device=99`].flatMap((pair) => ['--set', pair]);
      const line = /ONNX Runtime cannot compute on a GPU here .*or use execution: cpu/;
      expectOneLine(await runCommand(['up', path, ...asked]), { code: 1, line });
    },
  );

  test('a text that the source cannot score, after which the command ends', async () => {
    const [source, target] = ['orator', 'target'].map((name) => join('examples', 'zoo', name));
    const text = 'In 2019 they met. '.repeat(60);
    const pair = ['--source', source, '--target', target];
    const { code, stderr } = await runCommand(['align', text, ...pair, '--after', 'In 2019 they met']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/tokens, the context of .* split the text/);
  });

  test('an unknown teacher, with those that there are', async () => {
    const finished = await runCommand(['teacher', path, 'poet'], quiet);
    expectOneLine(finished, { code: 2, line: /"poet".*orator, novelist, engineer, target/ });
  });

  test('a port in use', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const address = `127.0.0.1:${(occupant.address() as AddressInfo).port}`;
    try {
      const finished = await runCommand(['up', path, '--set', `teachers.1.address=${address}`]);
      expectOneLine(finished, { code: 1, line: new RegExp(`${address} is in use`) });
    } finally {
      occupant.close();
    }
  });

  test('a training that cannot fit into memory', async () => {
    const huge = ['--set', 'trainer.tokensAtOnce=1000000000'];
    const line = /takes about .* GB of memory: .*; .* GB are free: lower trainer\.tokensAtOnce/;
    expectOneLine(await runCommand(['trainer', path, ...huge], quiet), { code: 1, line });
  });

  test('held-out texts that are not there, found when training begins', async () => {
    const missing = ['--set', `heldOut.0.path=${join(corpus.directory, 'no-text.txt')}`];
    expectOneLine(await runCommand(['up', path, ...missing]), { code: 2, line: /No text at .*no-text\.txt/ });
  });

  test('held-out texts of which nothing is predicted, before anything is trained', async () => {
    const letter = join(corpus.directory, 'letter.jsonl');
    await writeFile(letter, '{"text": "a"}\n');
    const held = `heldOut=[{ domain: letters, path: ${letter} }]`;
    const line = /letter\.jsonl:1, have no token that .* predicts/;
    expectOneLine(await runCommand(['up', path, '--set', held]), { code: 2, line });
  });

  test('no NATS, seen from the trainer and from the whole mesh', async () => {
    const nowhere = ['--set', 'nats.url=nats://127.0.0.1:9'];
    const line = /No NATS server answers at nats:\/\/127\.0\.0\.1:9/;
    expectOneLine(await runCommand(['trainer', path, ...nowhere], quiet), { code: 1, line });
    expectOneLine(await runCommand(['up', path, ...nowhere]), { code: 1, line });
  });

  test('a command that there is not', async () => {
    expect((await runCommand(['upp'])).code).toBe(2);
    expect((await runCommand(['--help'])).stdout).toContain('fusemesh up examples/demo.yaml');
  });

  test('a command by its former name, with what it is called now', async () => {
    const line = /`fusemesh evaluate` is called `fusemesh compare` now/;
    expectOneLine(await runCommand(['evaluate', path, '--json']), { code: 2, line });
    expect((await runCommand(['--help'])).stdout).not.toContain('evaluate');
    expect((await runCommand(['compare', '--help'])).stdout).toContain('bits per byte');
  });
});

/** Whether somebody listened at a port of this machine at any time until something was over. */
async function listensUntil(port: number, end: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  void end.then(() => {
    isOver = true;
  });
  while (!isOver) {
    const socket = connect(port, '127.0.0.1');
    const answered = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (answered) return true;
    await sleep(20);
  }
  return false;
}
