import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import { type Document, DocumentSchema } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import { createLog } from '../../mesh/log/log.ts';
import { Change } from '../change.ts';
import { askForOverdue } from './ask-for-overdue.ts';
import { LookAhead } from './look-ahead.ts';

const log = createLog('test', { level: 'silent' });
const patience = 400;
const fingerprint = new Uint8Array(32).fill(7);

function owing(count: number) {
  const documents = new LookAhead<Document>(0, count, new Change());
  for (let number = 0; number < count; number++) {
    documents.offer(number, number + 1, create(DocumentSchema, { number: BigInt(number), text: 'text' }));
  }
  const distributions = new LookAhead<TextDistribution>(0, count, new Change());
  return { documents, distributions };
}

it('asks an idle source for what it owes, once each, and again when its answer cannot be used', async () => {
  const { documents, distributions } = owing(2);
  const asked: number[] = [];
  let idle = false;
  const debtor = {
    name: 'orator',
    distributions,
    fingerprint,
    isIdle: () => idle,
    isDone: () => false,
    ask: async ({ number }: Document) => {
      asked.push(Number(number));
      if (asked.length === 1) throw new FuseMeshError('unavailable', 'not now');
      const by = asked.length === 2 ? new Uint8Array(32) : fingerprint;
      return { document: Number(number), tokenizerFingerprint: by, crossEntropy: 1 } as TextDistribution;
    },
  };
  const abort = new AbortController();
  const done = askForOverdue(debtor, documents, { signal: abort.signal, log, patience });

  await new Promise((resolve) => setTimeout(resolve, 3 * patience));
  expect(asked).toEqual([]);
  idle = true;
  for (const number of [0, 1]) {
    await expect.poll(() => distributions.ready, { timeout: 5_000 }).toBe(true);
    expect(distributions.take().document).toBe(number);
    documents.take();
  }
  expect(asked).toEqual([0, 0, 0, 1]);
  abort.abort();
  await done;
});

it('asks a source that is not idle for what NATS knows to be done, many at a time once one is lost', async () => {
  const { documents, distributions } = owing(6);
  const asked: number[] = [];
  let together = 0;
  let most = 0;
  const debtor = {
    name: 'orator',
    distributions,
    fingerprint,
    isIdle: () => false,
    isDone: (document: number) => document < 5,
    ask: async ({ number }: Document) => {
      asked.push(Number(number));
      most = Math.max(most, ++together);
      await new Promise((resolve) => setTimeout(resolve, 20));
      together--;
      return {
        document: Number(number),
        tokenizerFingerprint: fingerprint,
        crossEntropy: 1,
      } as TextDistribution;
    },
  };
  const abort = new AbortController();
  const done = askForOverdue(debtor, documents, { signal: abort.signal, log, patience: 100 });
  for (const number of [0, 1, 2, 3, 4]) {
    await expect.poll(() => distributions.ready, { timeout: 5_000 }).toBe(true);
    expect(distributions.take().document).toBe(number);
    documents.take();
  }
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(asked).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(4);
  abort.abort();
  await done;
});
