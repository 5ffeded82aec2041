import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { connectNats, type NatsConnection } from './connection.ts';
import { runOnNats } from './list-runs.ts';
import { startLocalNatsServer } from './local-server.ts';
import { runNames } from './names.ts';
import { openRunStreams } from './run-streams.ts';
import { openWeights, type RunWeights, type WeightsObject } from './weights.ts';
import { announcementSubject, formatAnnouncement } from './weights-object.ts';

const nats = natsOfTests();
const options = { patience: 30, replicas: 1 };
const forever = new AbortController().signal;

/** The weights of a run of its own, which is removed after the test. */
function weightsOf(run: string): { weights: RunWeights; run: string } {
  const own = `weights-${run}-${process.pid}`;
  onTestFinished(() => openRunStreams(nats.connection, own).remove());
  return { weights: openWeights(nats.connection, own), run: own };
}

const contentOf = (step: number, ...sizes: number[]) => ({
  step,
  parts: sizes.map((size) => randomBytes(size)),
  metadata: { of: 'test' },
});

async function bytesOf(weights: RunWeights, object: WeightsObject): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await weights.read(object, async (chunk) => chunks.push(chunk), forever);
  return Buffer.concat(chunks);
}

async function firstOf<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) return item;
  throw new Error('nothing came');
}

it('gives back what was published, to the bit, and to any client of object stores', async () => {
  const { weights, run } = weightsOf('whole');
  const content = contentOf(7, 900, 1_500_000, 0, 3, 2_000_000);
  const published = await weights.publish(content, options);
  const found = await firstOf(weights.follow(forever));
  expect(found).toEqual({ ...published, metadata: { of: 'test' }, step: 7, bytes: 3_500_903 });
  const whole = Buffer.concat(content.parts);
  expect((await bytesOf(weights, found)).equals(whole)).toBe(true);

  const store = await nats.connection.jetStream.views.os(runNames(run).weightsBucket);
  expect(Buffer.from((await store.getBlob('7'))!).equals(whole)).toBe(true);
  expect((await store.list()).map(({ name }) => name)).toEqual(['7']);
});

it('waits for the first weights, passes over those that were superseded, and keeps two', async () => {
  const { weights, run } = weightsOf('newest');
  expect(await weights.newest(forever)).toBeUndefined();
  const abort = new AbortController();
  const seen: number[] = [];
  let hold: Promise<unknown> = Promise.resolve();
  const following = (async () => {
    for await (const { step } of weights.follow(abort.signal)) {
      seen.push(step);
      await hold;
    }
  })();
  let letGo = (): void => {};
  hold = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const objects = [await weights.publish(contentOf(0, 100), options)];
  await expect.poll(() => seen).toEqual([0]);
  for (const step of [1, 2, 3]) objects.push(await weights.publish(contentOf(step, 100), options));
  await expect.poll(async () => (await weights.newest(forever))?.step).toBe(3);
  letGo();
  await expect.poll(() => seen.at(-1)).toBe(3);
  expect(seen.length).toBeLessThan(4);
  expect(await Promise.all(objects.map((object) => weights.has(object)))).toEqual([false, false, true, true]);
  const { state } = await nats.connection.manager.streams.info(runNames(run).weightsStream);
  expect(state.messages).toBe(4);
  await expect(bytesOf(weights, objects[1])).rejects.toMatchObject({ code: 'not_found' });

  // As a trainer does that went back to a checkpoint.
  const again = contentOf(1, 100);
  await weights.publish(again, options);
  await expect.poll(() => seen.at(-1)).toBe(1);
  // The same once more changes nothing.
  const { id } = await weights.publish(again, options);
  expect(id).toBe((await weights.newest(forever))?.id);
  abort.abort();
  await following;
});

it('refuses what is not what was published', async () => {
  const { weights, run } = weightsOf('damaged');
  const object = await weights.publish(contentOf(1, 5000), options);
  const names = runNames(run);
  const other = formatAnnouncement(names, { ...object, sha256: 'ab'.repeat(32) }, 512);
  await nats.connection.jetStream.publish(announcementSubject(names, 1), other);
  const damaged = (await weights.newest(forever))!;
  await expect(bytesOf(weights, damaged)).rejects.toMatchObject({
    code: 'data_loss',
    message: expect.stringContaining('step 1'),
  });
});

it('counts for the size of the run, and is removed with it', async () => {
  const { weights, run } = weightsOf('removed');
  await weights.publish(contentOf(1, 5000), options);
  expect((await runOnNats(nats.connection, run))?.bytes).toBeGreaterThan(5000);
  await openRunStreams(nats.connection, run).remove();
  expect(await runOnNats(nats.connection, run)).toBeUndefined();
});

it('publishes also where the server goes before a question, and is away for longer than one waits', async () => {
  const storeDirectory = await temporaryDirectory();
  const server = await startLocalNatsServer({ storeDirectory });
  const connection = await connectNats(server.url, 'test');
  onTestFinished(() => connection.close());
  const { streams } = connection.manager;
  const ask = streams.getMessage.bind(streams);
  const asked = vi.spyOn(streams, 'getMessage').mockImplementationOnce(async (...question) => {
    await server.stop();
    return ask(...question);
  });
  const publishing = openWeights(connection, 'away').publish(contentOf(1, 5000), options);
  publishing.catch(() => {});
  await expect.poll(() => asked.mock.calls.length, { timeout: 20_000 }).toBe(2);
  const back = await startLocalNatsServer({ storeDirectory, port: Number(new URL(server.url).port) });
  onTestFinished(() => back.stop());
  expect((await publishing).step).toBe(1);
});

it('goes on when the server was away, and when it has lost everything', { timeout: 60_000 }, async () => {
  const storeDirectory = await temporaryDirectory();
  const first = await startLocalNatsServer({ storeDirectory });
  let server = first;
  const port = Number(new URL(first.url).port);
  const connections: NatsConnection[] = [];
  const connected = async () => {
    connections.push(await connectNats(first.url, 'test'));
    return openWeights(connections.at(-1)!, 'restarted');
  };
  onTestFinished(async () => {
    for (const connection of connections) await connection.close();
    await server.stop();
  });
  const restart = async () => {
    await server.stop();
    server = await startLocalNatsServer({ storeDirectory, port });
  };
  const [trainer, service] = [await connected(), await connected()];
  const abort = new AbortController();
  const seen: number[] = [];
  const following = (async () => {
    for await (const { step } of service.follow(abort.signal)) seen.push(step);
  })();

  const content = contentOf(1, 20_000_000);
  const publishing = trainer.publish(content, options);
  const restarting = restart();
  const object = await publishing;
  await restarting;
  await expect.poll(() => seen, { timeout: 20_000 }).toEqual([1]);

  const read: Uint8Array[] = [];
  const reading = service.read(
    object,
    async (chunk) => {
      read.push(chunk);
      if (read.length === 3) await restart();
    },
    forever,
  );
  await reading;
  expect(Buffer.concat(read).equals(content.parts[0])).toBe(true);

  await server.stop();
  await rm(storeDirectory, { recursive: true });
  server = await startLocalNatsServer({ storeDirectory, port });
  await expect.poll(() => trainer.has(object).catch(() => 'away'), { timeout: 20_000 }).toBe(false);
  await trainer.publish(content, options);
  await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(2);
  abort.abort();
  await following;
});
