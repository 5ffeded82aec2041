import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { connectNats } from './connection.ts';
import { startLastingNatsServer } from './lasting-server.ts';
import { openRunStreams } from './run-streams.ts';

it('comes back where it was, with what it stored, when it is killed', async () => {
  const lines: string[] = [];
  const storeDirectory = await temporaryDirectory();
  const server = await startLastingNatsServer({ storeDirectory }, (line) => lines.push(line));
  const connection = await connectNats(server.url, 'test');
  const streams = openRunStreams(connection, 'lasting');
  const { signal } = new AbortController();
  await streams.ensure({ maxDocuments: 4, maxDistributions: 4 });
  await streams.publishDistribution('orator', 0, Uint8Array.of(7), { signal });

  process.kill(await pidOf(storeDirectory), 'SIGKILL');
  await streams.publishDistribution('orator', 1, Uint8Array.of(8), { signal });
  const read: number[] = [];
  for await (const { bytes } of streams.readDistributions('orator', { signal })) {
    if (read.push(bytes[0]) === 2) break;
  }
  expect(read).toEqual([7, 8]);
  expect(lines).toEqual(['nats-server has ended: starting it again']);
  await connection.close();
  await server.stop();
  await expect(connectNats(server.url, 'test')).rejects.toMatchObject({ code: 'unavailable' });
});

/** From the name of the file in which the server says where it listens. */
async function pidOf(storeDirectory: string): Promise<number> {
  const files = await readdir(storeDirectory);
  return Number(files.map((file) => /_(\d+)\.ports$/.exec(file)?.[1]).find(Boolean));
}
