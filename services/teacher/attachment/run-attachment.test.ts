import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLog } from '../../../process/log/log.ts';
import { createRegister } from '../../../process/metrics/create-register.ts';
import { DocumentSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { DeliveredDocument, RunStreams } from '../../../wire/nats/run-streams.ts';
import { teacherMetrics } from '../metric-table.ts';
import type { TeacherModel } from '../teacher-model.ts';
import { RunAttachment } from './run-attachment.ts';

/** After this time without a mark, NATS delivers a document again: what `consumeDocuments` asks for. */
const ackWait = 10_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('marks what it works on often enough that a mark may be lost or late', async () => {
  const marks: number[] = [];
  const delivered = {
    document: create(DocumentSchema, { number: 0n, text: 'a long text' }),
    working: () => marks.push(Date.now()),
  } as Partial<DeliveredDocument> as DeliveredDocument;
  const streams = {
    async *consumeDocuments(_teacher, { signal }) {
      yield delivered;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  } as Partial<RunStreams> as RunStreams;
  const model = {
    score: (_texts, _topK, { signal }) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  } as Partial<TeacherModel> as TeacherModel;
  const began = Date.now();
  const attachment = new RunAttachment(
    { run: 'slow', teacher: 'orator', topK: 1 },
    {
      streams,
      model,
      batchDocuments: 1,
      metrics: teacherMetrics(createRegister({}))({ run: 'slow', teacher: 'orator' }),
      log: createLog('test', { level: 'silent' }),
    },
  );
  await vi.advanceTimersByTimeAsync(6 * ackWait);
  const times = [began, ...marks];
  const gaps = marks.map((mark, i) => mark - times[i]);
  expect(marks.length).toBeGreaterThan(0);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(ackWait / 3);
  const left = attachment.detach();
  await vi.runAllTimersAsync();
  await left;
});
