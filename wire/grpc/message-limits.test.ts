import { credentials, Client as GrpcClient, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { type ScoreRequest, TeacherService } from '../generated/fusemesh/v1/teacher_pb.ts';
import { requestBytes, responseBytes } from './channel-options.ts';
import { createClient } from './client.ts';
import { type Implementation, implement } from './implementation.ts';
import { type GrpcServer, serve } from './serve.ts';

const log = createLog('test', { level: 'silent' });
let server: GrpcServer;
let calls = 0;

beforeAll(async () => {
  const service = implement(TeacherService, {
    // The number asked for stands for the bytes of the answer.
    score: async ({ topK }: ScoreRequest) => {
      calls++;
      return { distribution: { tokenIds: new Uint8Array(topK) } };
    },
  } as unknown as Implementation<typeof TeacherService>);
  server = await serve({ address: '127.0.0.1:0', services: [service], log });
});
afterAll(() => server.stop());

/** Sends bytes as they are, as a caller in another language may. */
const sendRaw = (request: Buffer): Promise<ServiceError> =>
  new Promise((resolve, reject) => {
    const client = new GrpcClient(server.address, credentials.createInsecure());
    client.makeUnaryRequest(
      '/fusemesh.v1.TeacherService/Score',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      request,
      (error) => {
        client.close();
        if (error) resolve(error);
        else reject(new Error('it was taken'));
      },
    );
  });

describe('a message that is too large', () => {
  it('is refused by the server where a caller sends it all the same', async () => {
    const before = calls;
    const refused = await sendRaw(Buffer.alloc(requestBytes + 1));
    expect(refused).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(refused.details).toContain(String(requestBytes));
    expect(calls).toBe(before);
  });

  it('is not sent by our client', async () => {
    const client = createClient(TeacherService, server.address);
    const before = calls;
    await expect(client.score({ text: 'x'.repeat(requestBytes), topK: 1 })).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringContaining(`A message to or from ${server.address} is too large`),
    });
    expect(calls).toBe(before);
    client.close();
  });

  it('is not sent by our server: the caller hears why', async () => {
    const client = createClient(TeacherService, server.address);
    const half = await client.score({ text: 'a', topK: responseBytes / 2 });
    expect(half.distribution?.tokenIds).toHaveLength(responseBytes / 2);
    await expect(client.score({ text: 'a', topK: responseBytes })).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringContaining('too large'),
    });
    client.close();
  });
});

describe('bytes that are no message', () => {
  it.each([
    ['a text that is not UTF-8', Buffer.from([0x0a, 3, 0x61, 0xff, 0xfe])],
    ['a text that ends too early', Buffer.from([0x0a, 200, 1, 0x61])],
    ['a field of a kind that does not exist', Buffer.from([0x0f, 1])],
  ])('%s is refused as an invalid argument', async (_, bytes) => {
    const before = calls;
    const refused = await sendRaw(bytes);
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.details).toContain('The request is no fusemesh.v1.ScoreRequest');
    expect(calls).toBe(before);
  });
});
