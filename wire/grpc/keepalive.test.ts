import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { TrainerService } from '../generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from './client.ts';
import { type Implementation, implement } from './implementation.ts';
import { type GrpcServer, serve } from './serve.ts';

const log = createLog('test', { level: 'silent' });
let server: GrpcServer;
afterEach(() => server.stop());

/** A network between client and server that can go silent, as when a machine loses its power. */
async function network(to: string) {
  const [host, port] = to.split(':');
  const sockets: Socket[] = [];
  const relay = createServer((near) => {
    const far = connect(Number(port), host);
    sockets.push(near, far);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const address = relay.address() as { port: number };
  return {
    address: `127.0.0.1:${address.port}`,
    goSilent() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      relay.close();
    },
  };
}

it('both sides notice within half a minute that the other has vanished', async () => {
  let aborted = false;
  const service = implement(TrainerService, {
    async *watchSteps(_request, { signal }) {
      yield {};
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted = true;
    },
  } as Partial<Implementation<typeof TrainerService>> as Implementation<typeof TrainerService>);
  server = await serve({ address: '127.0.0.1:0', services: [service], log });
  const wire = await network(server.address);
  const client = createClient(TrainerService, wire.address);
  const steps = client.watchSteps({})[Symbol.asyncIterator]();
  await steps.next();
  const next = steps.next();
  wire.goSilent();
  await expect(next).rejects.toMatchObject({ code: 'unavailable' });
  await expect.poll(() => aborted, { timeout: 15_000 }).toBe(true);
  client.close();
  wire.close();
});
