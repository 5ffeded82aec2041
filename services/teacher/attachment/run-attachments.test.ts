import { create } from '@bufbuild/protobuf';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createLog } from '../../../process/log/log.ts';
import { DocumentSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { DeliveredDocument } from '../../../wire/nats/run-streams.ts';
import { OnnxModel } from '../backends/onnx-model.ts';
import { teacherMetrics } from '../metric-table.ts';
import type { TeacherModel } from '../teacher-model.ts';
import { type AttachmentSettings, RunAttachment, watchAttachment } from './run-attachment.ts';
import { RunAttachments } from './run-attachments.ts';

const settings: AttachmentSettings = { run: 'demo', teacher: 'orator', topK: 4 };

/** One document, after which the documents stop coming; publishing it fails. */
async function failingAttachment(model: TeacherModel, acknowledged: () => void): Promise<RunAttachment> {
  const document = create(DocumentSchema, { number: 0n, text: 'We the people.' });
  return new RunAttachment(settings, {
    streams: {
      async *consumeDocuments(): AsyncGenerator<DeliveredDocument> {
        yield {
          document,
          working: () => undefined,
          traceparent: () => undefined,
          ack: async () => acknowledged(),
          refuse: async () => acknowledged(),
        };
      },
      publishDistribution: async () => {
        throw new Error('the stream is gone');
      },
    },
    model,
    batchDocuments: 2,
    metrics: teacherMetrics(new Registry())({ run: 'demo', teacher: 'orator' }),
    log: createLog('test', { level: 'silent' }),
  });
}

test('a document that was not published is not acknowledged, and those who watch hear of it', async () => {
  const orator = new URL('../../../examples/zoo/orator', import.meta.url).pathname;
  const model = await OnnxModel.load(orator, { topK: 4, threads: 1 });
  try {
    let acknowledged = 0;
    let started = 0;
    const attachments = new RunAttachments(() => {
      started++;
      return failingAttachment(model, () => {
        acknowledged++;
      });
    });
    const attachment = await attachments.attach(settings);
    const watch = async () => {
      for await (const _status of watchAttachment(attachment, new AbortController().signal, 10));
    };
    await expect(watch()).rejects.toThrow('the stream is gone');
    expect(acknowledged).toBe(0);

    await expect(attachments.attached('demo')).rejects.toMatchObject({ code: 'not_found' });
    await (await attachments.attach(settings)).ended.catch(() => undefined);
    expect(started).toBe(2);
    await attachments.detachAll();
  } finally {
    await model.close();
  }
});

test('an attempt that fails is forgotten', async () => {
  let started = 0;
  const attachments = new RunAttachments(async () => {
    started++;
    throw new Error('no NATS');
  });
  await expect(attachments.attach(settings)).rejects.toThrow('no NATS');
  await expect(attachments.attach(settings)).rejects.toThrow('no NATS');
  expect(started).toBe(2);
});
