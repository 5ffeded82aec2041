import { connect } from 'nats';
import { expect, it } from 'vitest';
import { ownVersion } from '../../process/lifecycle/own-version.ts';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { connectNats } from './connection.ts';
import { startLocalNatsServer } from './local-server.ts';
import { findServices, registerService } from './services.ts';

const name = `fusemesh-test-${process.pid}`;
const nats = natsOfTests();

const described = (number: string, load: () => object = () => ({})) => ({
  name,
  description: 'A test',
  metadata: { number },
  load,
});

it('finds all that registered, with what they do now, and nobody after they stopped', async () => {
  expect(await findServices(nats.connection, name)).toEqual([]);
  let documents = 1;
  const other = await connectNats(nats.url, 'other');
  const first = await registerService(
    nats.connection,
    described('1', () => ({ documents })),
  );
  const second = await registerService(other, described('2'));
  documents = 7;
  const found = await findServices(nats.connection, name);
  expect(found.sort((a, b) => a.metadata['number'].localeCompare(b.metadata['number']))).toEqual([
    { version: ownVersion, metadata: { number: '1' }, load: { documents: 7 } },
    { version: ownVersion, metadata: { number: '2' }, load: {} },
  ]);
  await first.stop();
  expect((await findServices(nats.connection, name)).map(({ metadata }) => metadata['number'])).toEqual([
    '2',
  ]);
  await second.stop();
  expect(await findServices(nats.connection, name)).toEqual([]);
  await other.close();
});

it("answers NATS's own tools as their protocol says", async () => {
  const service = await registerService(
    nats.connection,
    described('3', () => ({ busy: true })),
  );
  const plain = await connect({ servers: nats.url });
  try {
    const ask = async (subject: string) => JSON.parse((await plain.request(subject)).string());
    const ping = await ask(`$SRV.PING.${name}`);
    expect(ping).toMatchObject({ type: 'io.nats.micro.v1.ping_response', name, version: ownVersion });
    const info = await ask(`$SRV.INFO.${name}.${ping.id}`);
    expect(info).toMatchObject({
      type: 'io.nats.micro.v1.info_response',
      description: 'A test',
      metadata: { number: '3' },
      endpoints: [{ name: 'load', subject: `${name}.${ping.id}.load` }],
    });
    const stats = await ask(`$SRV.STATS.${name}`);
    expect(stats).toMatchObject({
      type: 'io.nats.micro.v1.stats_response',
      endpoints: [{ name: 'load', data: { busy: true } }],
    });
    expect(await ask(info.endpoints[0].subject)).toEqual({ busy: true });
  } finally {
    await plain.close();
    await service.stop();
  }
});

it('is found again when the server was away, and stops while it is', async () => {
  const storeDirectory = await temporaryDirectory();
  const first = await startLocalNatsServer({ storeDirectory });
  const own = await connectNats(first.url, 'test');
  const service = await registerService(own, described('4'));
  await first.stop();
  await expect(findServices(own, name)).rejects.toMatchObject({ code: 'unavailable' });
  const second = await startLocalNatsServer({ storeDirectory, port: Number(new URL(first.url).port) });
  await expect
    .poll(() => findServices(own, name).catch(() => []), { timeout: 15_000 })
    .toMatchObject([{ metadata: { number: '4' } }]);
  await second.stop();
  await service.stop();
  await own.close();
});
