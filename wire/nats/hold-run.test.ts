import { afterEach, expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { connectNats, type NatsConnection } from './connection.ts';
import { type HeldRun, holdRun } from './hold-run.ts';

const nats = natsOfTests();
const log = createLog('test', { level: 'silent' });
const open: NatsConnection[] = [];
const stop = new AbortController();
afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

async function trainer(run: string): Promise<{ held: HeldRun; connection: NatsConnection }> {
  const connection = await connectNats(nats.url, 'trainer');
  open.push(connection);
  return { held: await holdRun(connection, run, { signal: stop.signal, log }), connection };
}
const refused = { code: 'already_exists', message: expect.stringContaining(`process ${process.pid} on`) };

it('lets one trainer have a run, and the next when it is gone', async () => {
  const run = `held-${process.pid}`;
  const first = await trainer(run);
  await expect(trainer(run)).rejects.toMatchObject(refused);
  await expect(trainer(`${run}-other`)).resolves.toBeDefined();
  const leaving = new AbortController();
  const watched = first.held.watch(leaving.signal);
  await first.connection.close();
  leaving.abort();
  await watched;
  const began = performance.now();
  await trainer(run);
  expect(performance.now() - began).toBeLessThan(3_000);
});

it('lets one of several that start together have it', async () => {
  const run = `together-${process.pid}`;
  const started = await Promise.allSettled([1, 2, 3, 4].map(() => trainer(run)));
  expect(started.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

it('ends the watch of one whose run another took while it stood still', async () => {
  const run = `taken-${process.pid}`;
  const first = await trainer(run);
  const watched = first.held.watch(stop.signal);
  // As one that hangs: it hears nothing, and the other finds nobody.
  const { protocol } = first.connection.raw as unknown as { protocol: { transport: { socket: Pausable } } };
  const { socket } = protocol.transport;
  socket.pause();
  void watched.catch(() => {});
  const second = await trainerOfSilent(run);
  socket.resume();
  await expect(watched).rejects.toMatchObject(refused);
  await second.connection.close();
}, 60_000);

interface Pausable {
  pause(): void;
  resume(): void;
}

async function trainerOfSilent(run: string) {
  const began = performance.now();
  const taken = await trainer(run);
  expect(performance.now() - began).toBeGreaterThan(9_000);
  return taken;
}
