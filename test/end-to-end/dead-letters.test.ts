import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { openRunStreams, type RunStreams } from '../../wire/nats/run-streams.ts';
import { startNatsServer, type TestNatsServer } from '../support/nats-server.ts';
import { runCommand } from './command.ts';
import { expectOneLine } from './expect-one-line.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

const run = `command-letters-${process.pid}`;
const { signal } = new AbortController();
let server: TestNatsServer;
let connection: NatsConnection;
let streams: RunStreams;
let corpus: SmallCorpus;
let path: string;

beforeAll(async () => {
  server = await startNatsServer();
  connection = await connectNats(server.url, 'test');
  streams = openRunStreams(connection, run);
  await streams.ensure({ maxDocuments: 4, maxDistributions: 4 });
  corpus = await makeSmallCorpus({ bytesOfDomain: 500 });
  path = (await writeRunFile(corpus, { run, changes: { nats: { url: server.url } } })).path;
});
afterAll(async () => {
  await streams?.remove();
  await connection?.close();
  await server?.stop();
  await corpus?.remove();
});

const letters = (...options: string[]) => runCommand(['dead-letters', path, ...options]);

it('lists, replays and removes the messages that nobody could use', async () => {
  expect(await letters()).toMatchObject({ code: 0, stdout: 'There are no dead letters.\n' });
  const stored = { bytes: Uint8Array.of(1, 2), reason: 'its text is \u001b[31mempty' };
  await streams.storeDeadLetter(
    { ...stored, stream: 'documents', source: 'feeder', position: 4 },
    { signal },
  );
  await streams.storeDeadLetter(
    { ...stored, stream: 'distributions', source: 'orator', position: 8 },
    { signal },
  );

  const [headings, first, second] = (await letters()).stdout.split('\n');
  expect(headings).toMatch(/^letter +time \(UTC\) +source +position +bytes +reason$/);
  expect(first).toMatch(
    /^1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +feeder +documents 4 +2 +its text is \?\[31mempty$/,
  );
  expect(second).toMatch(/^2 .* orator +distributions 8 /);
  const { letters: listed } = JSON.parse((await letters('--json')).stdout);
  expect(listed).toMatchObject([
    { number: 1, stream: `fusemesh_${run}_documents` },
    { number: 2, bytes: 2 },
  ]);

  const replayed = await letters('--replay');
  expect(replayed).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^1 of 2 letters replayed\.\nDead letter 1 /),
  });
  for await (const { bytes } of streams.readDistributions('orator', { signal })) {
    expect([...bytes]).toEqual([1, 2]);
    break;
  }
  expectOneLine(await letters('--replay', '1'), { code: 1, line: /Dead letter 1 is a document/ });
  expect(await letters('--remove', '1')).toMatchObject({ code: 0, stdout: '1 of 1 letters removed.\n' });
  expect(JSON.parse((await letters('--json')).stdout)).toEqual({ run, letters: [] });
});

it('refuses what makes no sense, in one line', async () => {
  expectOneLine(await letters('--remove', '99'), { code: 2, line: /no dead letter 99/ });
  expectOneLine(await letters('--replay', '--remove'), { code: 2, line: /use one of them/ });
  expect(await letters('--replay', 'first')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('whole number'),
  });
});
