import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { keepProgram } from '../../process/lifecycle/kept-program.ts';
import { exampleConfig } from '../../test/support/example-config.ts';
import { freePort } from '../../test/support/free-port.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { bytesOfToken } from '../../wire/codec/bytes-of-token.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { findNatsServer } from '../../wire/nats/find-nats-server.ts';
import { sizesOf, storeOnDisk, tooLarge, tooLargeFor } from './run-sizes.ts';

const config = (changes: object = {}) => exampleConfig({ contextLength: 1_000, topK: 100, ...changes });
const unlimited = {
  maxPayload: 2 ** 20,
  storage: undefined,
  streams: undefined,
  streamBytes: undefined,
  bytesAreRequired: false,
};

it('reckons what a run holds at NATS when every document is as long as it may be', () => {
  const nats = { url: 'nats://a', maxDocuments: 10, maxDistributions: 10, replicas: 3 };
  const { distribution, total } = sizesOf(config({ nats }));
  expect(distribution).toBe(Math.ceil(1_000 * bytesOfToken(100, 2 ** 18)));
  expect(total).toBe(3 * (10 * 8_000 + 11 * distribution + 128 * 2 ** 20));
});

it.each([
  [{}, { maxPayload: 8_192 }, /max_payload is 8192 bytes: raise it to 32768/],
  [{ contextLength: 262_144, topK: 1_000 }, {}, /lower topK \(1000\) or contextLength/],
  [
    {},
    { storage: 10e6 },
    /account may store 10\.0 MB more: raise its max_file, or lower nats\.maxDocuments \(1024\)/,
  ],
  [{}, { streams: 3 }, /makes 4 streams, and the NATS account may have 3 more: raise its max_streams/],
  [{}, { streamBytes: 1e6 }, /max_stream_bytes is 1\.0 MB: raise it/],
  [{}, { bytesAreRequired: true }, /set its max_bytes to false/],
])('names the limit and what to do: %j at %j', (changes, limits, sentence) => {
  expect(tooLarge(config(changes), unlimited)).toHaveLength(Object.keys(changes).length > 0 ? 1 : 0);
  expect(tooLarge(config(changes), { ...unlimited, ...limits })).toEqual([expect.stringMatching(sentence)]);
});

it('compares with three quarters of the disk', () => {
  expect(storeOnDisk(config(), { path: '/runs', free: 100e9 }).fits).toBe(true);
  expect(storeOnDisk(config(), { path: '/runs', free: 0.5e9 })).toMatchObject({
    fits: false,
    text: expect.stringMatching(
      /takes 375\.0 MB at most, three quarters .* at \/runs: make room there, or lower/,
    ),
  });
});

it('asks a real server for the limits of its account', async () => {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const file = join(directory, 'nats.conf');
  const lines = [
    'host: "127.0.0.1"',
    `port: ${port}`,
    'max_payload: 16KB',
    `jetstream { store_dir: ${JSON.stringify(directory)} }`,
    'no_auth_user: me',
    'accounts { small { users: [{ user: me }], jetstream { max_file: 100MB, max_streams: 2 } } }',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const server = await keepProgram(await findNatsServer(), ['-c', file]);
  onTestFinished(() => server.stop());
  const url = `nats://127.0.0.1:${port}`;
  const connected = () => connectNats(url, 'test').catch(() => undefined);
  await expect
    .poll(async () => (await connected())?.close().then(() => true), { timeout: 10_000 })
    .toBe(true);
  const connection = await connectNats(url, 'test');
  const said = await tooLargeFor(connection, config());
  await connection.close();
  expect(said).toEqual([
    expect.stringContaining('max_payload is 16384 bytes'),
    expect.stringMatching(/may store 10\d\.\d MB more/),
    expect.stringContaining('may have 2 more'),
  ]);
});
