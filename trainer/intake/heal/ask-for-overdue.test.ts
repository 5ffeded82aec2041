import { expect, it } from 'vitest';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { createLog } from '../../../process/log/log.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import type { IncomingDocument } from '../../../wire/nats/run-streams.ts';
import { LookAhead } from '../read/look-ahead.ts';
import { type AskedDocument, askForOverdue } from './ask-for-overdue.ts';

const log = createLog('test', { level: 'silent' });
const patience = 400;

function owing(count: number) {
  const documents = new LookAhead<IncomingDocument>(0, count, new Notifier());
  for (let number = 0; number < count; number++) {
    documents.offer(number, number + 1, { number, text: 'text', turns: [], tools: '' });
  }
  const distributions = new LookAhead<TextDistribution>(0, count, new Notifier());
  return { documents, distributions };
}

it('asks an idle source for what it owes, once each, and again when its answer cannot be used', async () => {
  const { documents, distributions } = owing(2);
  const asked: number[] = [];
  let idle = false;
  const debtor = {
    name: 'orator',
    distributions,
    isIdle: () => idle,
    isDone: () => false,
    ask: async ({ number }: AskedDocument) => {
      asked.push(number);
      if (asked.length === 1) throw new FuseMeshError('unavailable', 'not now');
      if (asked.length === 2) throw new FuseMeshError('data_loss', 'of another tokenizer');
      return { document: number } as TextDistribution;
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
    isIdle: () => false,
    isDone: (document: number) => document < 5,
    ask: async ({ number }: AskedDocument) => {
      asked.push(number);
      most = Math.max(most, ++together);
      await new Promise((resolve) => setTimeout(resolve, 20));
      together--;
      return { document: number } as TextDistribution;
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

it('asks at once for what came and could not be used, then as for what is owed', async () => {
  const { documents, distributions } = owing(2);
  for (const number of [0, 1]) distributions.reject(number);
  const asked: number[] = [];
  const debtor = {
    name: 'orator',
    distributions,
    isIdle: () => false,
    isDone: () => false,
    ask: async ({ number }: AskedDocument) => {
      asked.push(number);
      if (number === 1) throw new FuseMeshError('data_loss', 'of another tokenizer');
      return { document: number } as TextDistribution;
    },
  };
  const abort = new AbortController();
  const done = askForOverdue(debtor, documents, { signal: abort.signal, log, patience: 60_000 });
  await expect.poll(() => distributions.ready, { timeout: 5_000 }).toBe(true);
  distributions.take();
  documents.take();
  await new Promise((resolve) => setTimeout(resolve, 3 * patience));
  expect(asked).toEqual([0, 1]);
  expect([0, 1].map((number) => distributions.takeRejected(number))).toEqual([false, false]);
  abort.abort();
  await done;
});
