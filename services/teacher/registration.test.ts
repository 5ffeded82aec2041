import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { freePort } from '../../test/support/free-port.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { findTeachers } from '../../wire/discovery/find.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { startLocalNatsServer } from '../../wire/nats/local-server.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { runTeacher, type TeacherAddresses } from './main.ts';

const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const log = createLog('teacher orator', { level: 'silent' });

test('serves without NATS, is found as soon as NATS is there, and works for runs of others', async () => {
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  const config = runConfigSchema.parse({
    run: 'home',
    nats: { url },
    contextLength: 128,
    corpus: [{ domain: 'speeches', path: 'unused.txt' }],
    teachers: [{ name: 'orator', address: '127.0.0.1:0', model: `${zoo}orator` }],
    target: { model: `${zoo}target` },
    trainer: { output: 'unused' },
  });
  const stop = new AbortController();
  let served: Promise<void> | undefined;
  const addresses = await new Promise<TeacherAddresses>((resolve, reject) => {
    served = runTeacher(config, 'orator', { signal: stop.signal, log, onReady: resolve });
    served.catch(reject);
  });
  const grpcPort = addresses.grpc.split(':')[1];
  const client = createClient(TeacherService, `127.0.0.1:${grpcPort}`);
  const card = await client.getModelCard({});
  expect(card).toMatchObject({ name: 'orator', run: 'home', instance: expect.stringMatching(/^[\w-]{36}$/) });
  await expect(client.attachRun({ run: 'away', teacher: 'sage', topK: 3 })).rejects.toMatchObject({
    code: 'unavailable',
  });

  const server = await startLocalNatsServer({ storeDirectory: await temporaryDirectory(), port });
  const connection = await connectNats(url, 'test');
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  await expect
    .poll(() => findTeachers(connection), { timeout: 10_000 })
    .toMatchObject([
      {
        teacher: 'orator',
        run: 'home',
        instance: card.instance,
        family: 'llama',
        parameters: Number(card.parameters),
        vocabularySize: card.vocabularySize,
        contextLength: 256,
        tokenizerFingerprint: hex(card.tokenizerFingerprint),
        modelFingerprint: hex(card.modelFingerprint),
        address: `127.0.0.1:${grpcPort}`,
        metricsAddress: `127.0.0.1:${addresses.metricsPort}`,
        work: [],
      },
    ]);

  // The limits of another run stay what its trainer made them.
  const streams = openRunStreams(connection, 'away');
  await streams.ensure({ maxDocuments: 7, maxDistributions: 9 });
  await client.attachRun({ run: 'away', teacher: 'sage', topK: 3 });
  await expect(client.attachRun({ run: 'nowhere', teacher: 'sage', topK: 3 })).rejects.toMatchObject({
    code: 'not_found',
  });
  expect((await streams.look([])).streams.map(({ mostMessages }) => mostMessages)).toEqual([8, 10, 10_000]);
  const [{ work }] = await findTeachers(connection);
  expect(work).toEqual([
    {
      run: 'away',
      teacher: 'sage',
      documentsScored: 0,
      documentsInHand: 0,
      tokensPerSecond: 0,
      waitingForRoom: false,
    },
  ]);
  await client.detachRun({ run: 'away' });
  expect(await findTeachers(connection)).toMatchObject([{ work: [] }]);

  stop.abort();
  await served;
  await sleep(50);
  expect(await findTeachers(connection)).toEqual([]);
  client.close();
  await connection.close();
  await server.stop();
});

test('listens where it is told to and is found where it says, whatever the address in the run file', async () => {
  const server = await startLocalNatsServer({ storeDirectory: await temporaryDirectory() });
  const connection = await connectNats(server.url, 'test');
  // TEST-NET-1 (RFC 5737): no machine has this address.
  const address = '192.0.2.1:50051';
  const start = (own: object, signal: AbortSignal, onReady?: (addresses: TeacherAddresses) => void) =>
    runTeacher(
      runConfigSchema.parse({
        run: 'far',
        nats: { url: server.url },
        security: { insecure: true },
        contextLength: 128,
        corpus: [{ domain: 'speeches', path: 'unused.txt' }],
        teachers: [{ name: 'orator', address, model: `${zoo}orator`, ...own }],
        target: { model: `${zoo}target` },
        trainer: { output: 'unused' },
      }),
      'orator',
      { signal, log, ...(onReady && { onReady }) },
    );
  await expect(start({}, AbortSignal.timeout(20_000))).rejects.toThrow('set listen to 0.0.0.0 and the port');

  const stop = new AbortController();
  const own = { listen: '0.0.0.0:0', advertise: 'localhost:0' };
  const serving = start(own, stop.signal);
  const found = async () => (await findTeachers(connection)).map((teacher) => teacher.address);
  await expect.poll(found, { timeout: 20_000 }).toEqual([expect.stringMatching(/^localhost:\d+$/)]);
  const client = createClient(TeacherService, (await found())[0]);
  await expect(client.getModelCard({})).resolves.toMatchObject({ name: 'orator', run: 'far' });
  client.close();
  stop.abort();
  await serving;
  await connection.close();
  await server.stop();
});
