import { expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { freePort } from '../../test/support/free-port.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { connectNats } from './connection.ts';
import { LateConnection } from './late-connection.ts';
import { startLocalNatsServer } from './local-server.ts';

const log = createLog('test', { level: 'silent' });

it('says at once that NATS is away, and stands when it has come', async () => {
  const port = await freePort();
  const late = new LateConnection(() => connectNats(`nats://127.0.0.1:${port}`, 'test'));
  await expect(late.now()).rejects.toMatchObject({ code: 'unavailable' });
  const waiting = late.whenThere(new AbortController().signal, log);
  const server = await startLocalNatsServer({ storeDirectory: await temporaryDirectory(), port });
  const connection = await waiting;
  expect(connection?.raw.isClosed()).toBe(false);
  expect(await late.now()).toBe(connection);
  await late.close();
  expect(connection?.raw.isClosed()).toBe(true);
  await server.stop();
});

it('waits no longer when it is told so, and closes without ever having stood', async () => {
  const port = await freePort();
  const late = new LateConnection(() => connectNats(`nats://127.0.0.1:${port}`, 'test'));
  const leaving = new AbortController();
  const waiting = late.whenThere(leaving.signal, log);
  leaving.abort();
  expect(await waiting).toBeUndefined();
  await late.close();
});
