import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { runTeacher, type TeacherAddresses } from './main.ts';
import type { TeacherModel } from './teacher-model.ts';

const orator = join(import.meta.dirname, '../../examples/zoo/orator');
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A teacher whose model computes nothing: it scores no text, and does not generate. */
async function startIdleTeacher() {
  let fail: (failure: FuseMeshError) => void = () => {};
  const closed = { times: 0 };
  const idle: TeacherModel = {
    card: { family: 'idle', parameters: 0, vocabularySize: 2_000, contextLength: 16 },
    tokenizer: await Tokenizer.fromFile(join(orator, 'tokenizer.json')),
    template: ChatTemplate.of({ template: '', specialTokens: {} }, 'none'),
    fingerprint: new Uint8Array(32).fill(7),
    failed: new Promise((resolve) => {
      fail = resolve;
    }),
    score: async (texts) => texts.map(() => ({ refusal: 'It has no opinion.' })),
    close: async () => {
      closed.times++;
    },
  };
  const config = runConfigSchema.parse({
    run: 'idle',
    nats: { url: 'nats://127.0.0.1:1' },
    contextLength: 16,
    corpus: [{ domain: 'speeches', path: 'unused.txt' }],
    teachers: [{ name: 'sage', address: '127.0.0.1:0', model: orator }],
    target: { model: orator },
    trainer: { output: 'unused' },
  });
  const stop = new AbortController();
  const log = createLog('teacher sage', { level: 'silent' });
  let served: Promise<void> = Promise.resolve();
  const { grpc } = await new Promise<TeacherAddresses>((onReady, reject) => {
    served = runTeacher(config, 'sage', { signal: stop.signal, log, onReady }, async () => idle);
    served.catch(reject);
  });
  const client = createClient(TeacherService, grpc);
  cleanups.push(async () => {
    client.close();
    stop.abort();
    await served.catch(() => {});
  });
  return { client, served, fail, closed };
}

it('a model that does not generate is served, and says so to who asks it to', async () => {
  const { client } = await startIdleTeacher();
  const card = await client.getModelCard({});
  expect(card).toMatchObject({ name: 'sage', family: 'idle', vocabularySize: 2_000 });
  expect([...card.modelFingerprint]).toEqual(Array(32).fill(7));
  await expect(client.score({ text: 'Hello.', topK: 3 })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('It has no opinion.'),
  });
  const stream = client.generate({ prompt: 'Hello.', maxTokens: 3 })[Symbol.asyncIterator]();
  await expect(stream.next()).rejects.toMatchObject({
    code: 'unimplemented',
    message: expect.stringContaining('The model of teacher sage scores texts and does not generate any'),
  });
});

it('a model that fails ends the process with its reason, and is closed once', async () => {
  const { client, served, fail, closed } = await startIdleTeacher();
  fail(new FuseMeshError('unavailable', 'The server behind it is gone.'));
  await expect(served).rejects.toThrow('The server behind it is gone.');
  expect(closed.times).toBe(1);
  await expect(client.getModelCard({}, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'unavailable' });
});
