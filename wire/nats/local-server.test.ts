import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectNats } from './connection.ts';
import { findNatsServer } from './find-nats-server.ts';
import { startLocalNatsServer } from './local-server.ts';
import { openRunStreams } from './run-streams.ts';

let storeDirectory: string;
beforeEach(async () => {
  storeDirectory = await mkdtemp(join(tmpdir(), 'fusemesh-local-server-'));
});
afterEach(() => rm(storeDirectory, { recursive: true, force: true }));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('keeps what was stored over a restart, and is gone when stopped', async () => {
  const limits = { maxDocuments: 4, maxDistributions: 4 };
  const signal = new AbortController().signal;
  const first = await startLocalNatsServer({ storeDirectory });
  const before = await connectNats(first.url, 'test');
  const streams = openRunStreams(before, 'kept');
  await streams.ensure(limits);
  await streams.publishDistribution('orator', 0, Uint8Array.of(7), { signal });
  await before.close();
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);

  const second = await startLocalNatsServer({ storeDirectory });
  const after = await connectNats(second.url, 'test');
  const again = openRunStreams(after, 'kept').readDistributions('orator', { signal });
  for await (const { bytes } of again) {
    expect([...bytes]).toEqual([7]);
    break;
  }
  await after.close();
  await second.stop();
});

it('lets in only who can read its token, which stays that of the store', async () => {
  const first = await startLocalNatsServer({ storeDirectory, demandToken: true });
  const tokenFile = first.tokenFile!;
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const place = (nats: { url: string; tokenFile?: string }) => ({ nats, security: { insecure: false } });
  await (await connectNats(place({ url: first.url, tokenFile }), 'test')).close();
  await expect(connectNats(first.url, 'test')).rejects.toMatchObject({ code: 'unauthenticated' });
  for (const name of await readdir(storeDirectory)) {
    const { mode } = await stat(join(storeDirectory, name));
    const text = await readFile(join(storeDirectory, name), 'utf8').catch(() => '');
    if (text.includes(token)) expect({ name, others: mode & 0o077 }).toEqual({ name, others: 0 });
  }
  expect(await readFile(`/proc/${first.pid}/cmdline`, 'utf8').catch(() => '')).not.toContain(token);
  await first.stop();

  const second = await startLocalNatsServer({ storeDirectory, demandToken: true });
  await (await connectNats(place({ url: second.url, tokenFile }), 'test')).close();
  await second.stop();
});

it('dies with a parent that is killed', async () => {
  const script = join(storeDirectory, 'parent.mts');
  const module = join(import.meta.dirname, 'local-server.ts');
  await writeFile(
    script,
    `import { startLocalNatsServer } from ${JSON.stringify(module)};
     const { pid } = await startLocalNatsServer({ storeDirectory: ${JSON.stringify(join(storeDirectory, 'store'))} });
     console.log(String(pid));`,
  );
  const parent = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
});

it('says in one line why it did not start', async () => {
  const server = await startLocalNatsServer({ storeDirectory });
  const port = Number(new URL(server.url).port);
  const second = startLocalNatsServer({ storeDirectory: join(storeDirectory, 'second'), port });
  await expect(second).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('address already in use'),
  });
  await server.stop();
});

it('says what to do without a nats-server', async () => {
  await expect(findNatsServer({ NATS_SERVER: '/nowhere/nats-server' })).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('/nowhere/nats-server'),
  });
});
