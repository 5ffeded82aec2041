import { create } from '@bufbuild/protobuf';
import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { createLog } from '../../process/log/log.ts';
import {
  ScoreResponseSchema,
  TeacherService,
  WatchRunResponseSchema,
} from '../generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from './client.ts';
import { type Implementation, implement } from './implementation.ts';
import { type GrpcServer, serve } from './serve.ts';

const log = createLog('test', { level: 'silent' });
const servers: GrpcServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** A teacher that counts how its streams end. */
function countingTeacher() {
  const counts = { started: 0, aborted: 0 };
  const refuse = async () => {
    throw new FuseMeshError('not_found', 'not attached to the run "x"');
  };
  const implementation: Implementation<typeof TeacherService> = {
    getModelCard: async () => ({ name: 'orator', parameters: 7n }),
    getTokenizer: async function* () {
      for (let i = 0; i < 300; i++) yield { chunk: new Uint8Array(64 << 10).fill(i) };
    },
    score: async ({ topK }) => {
      if (topK === 0) throw new FuseMeshError('invalid_argument', 'top_k is 0; use 1 to 3000');
      return create(ScoreResponseSchema, { distribution: { topK } });
    },
    generate: async function* () {
      yield { text: 'word', tokens: 1 };
    },
    attachRun: () => {
      throw new Error('before the first await');
    },
    detachRun: async ({ run }) => {
      if (run !== 'offline') return refuse();
      throw new FuseMeshError('unavailable', 'No NATS server answers');
    },
    watchRun: async function* (_, { signal }) {
      counts.started++;
      signal.addEventListener('abort', () => counts.aborted++, { once: true });
      for (let i = 0n; !signal.aborted; i++) {
        yield create(WatchRunResponseSchema, { status: { documentsScored: i } });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
  return { counts, implementation };
}

async function start(address = '127.0.0.1:0') {
  const { counts, implementation } = countingTeacher();
  const server = await serve({ address, services: [implement(TeacherService, implementation)], log });
  servers.push(server);
  return { server, counts, client: createClient(TeacherService, server.address) };
}

describe('a server and its typed client', () => {
  it('answers unary calls', async () => {
    const { client } = await start();
    const card = await client.getModelCard({});
    expect(card.name).toBe('orator');
    expect(card.parameters).toBe(7n);
    client.close();
  });

  it('streams more than a window of bytes, in order', async () => {
    const { client } = await start();
    let next = 0;
    for await (const { chunk } of client.getTokenizer({})) expect(chunk[5]).toBe(next++ & 255);
    expect(next).toBe(300);
    client.close();
  });

  it('carries code and message of an error', async () => {
    const { client } = await start();
    await expect(client.score({ topK: 0 })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: 'top_k is 0; use 1 to 3000',
    });
    await expect(client.detachRun({})).rejects.toMatchObject({ code: 'not_found' });
    await expect(client.detachRun({ run: 'offline' })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'No NATS server answers',
    });
    client.close();
  });

  it('logs an error that nobody foresaw, and answers it as internal', async () => {
    const logged = vi.spyOn(log, 'error');
    const { client } = await start();
    await expect(client.attachRun({})).rejects.toMatchObject({
      code: 'internal',
      message: 'before the first await',
    });
    await expect(client.score({ topK: 0 })).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(logged).toHaveBeenCalledExactlyOnceWith(
      { method: 'fusemesh.v1.TeacherService/AttachRun', err: new Error('before the first await') },
      'AttachRun failed',
    );
    logged.mockRestore();
    client.close();
  });

  it('cancels a stream on both sides when the reader leaves', async () => {
    const { client, counts } = await start();
    for await (const { status } of client.watchRun({})) if (status!.documentsScored === 3n) break;
    await expect.poll(() => counts.aborted).toBe(1);
    client.close();
  });

  it('cancels a stream by signal', async () => {
    const { client, counts } = await start();
    const abort = new AbortController();
    const read = async () => {
      for await (const { status } of client.watchRun({}, { signal: abort.signal }))
        if (status!.documentsScored === 3n) abort.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => counts.aborted).toBe(1);
    client.close();
  });

  it('names an address where nobody answers', async () => {
    const { server } = await start();
    await server.stop();
    const client = createClient(TeacherService, server.address);
    await expect(client.getModelCard({})).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(server.address),
    });
    client.close();
  });
});

describe('serve', () => {
  it('refuses a port in use', async () => {
    const { server, client } = await start();
    await expect(start(server.address)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining(`${server.address} is in use`),
    });
    client.close();
  });

  it('tells its services by reflection', async () => {
    const { server, client } = await start();
    const grpc = new GrpcClient(server.address, credentials.createInsecure());
    // ListServices of grpc.reflection.v1, written by hand: field 7, a string.
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const call = grpc.makeBidiStreamRequest(
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
      );
      call.on('data', resolve);
      call.on('error', reject);
      call.write(Buffer.from([0x3a, 1, 0x2a]));
      call.end();
    });
    expect(answer.toString('latin1')).toContain('fusemesh.v1.TeacherService');
    grpc.close();
    client.close();
  });
});
