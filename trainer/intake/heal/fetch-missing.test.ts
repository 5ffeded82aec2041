import { expect, it } from 'vitest';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { createLog } from '../../../process/log/log.ts';
import type { CorpusAnswer, IncomingDocument } from '../../../wire/nats/run-streams.ts';
import { LookAhead } from '../read/look-ahead.ts';
import { fetchMissing } from './fetch-missing.ts';

const log = createLog('test', { level: 'silent' });
const document = (number: number) => ({
  number,
  text: 'text',
  turns: [],
  tools: '',
  bytes: Uint8Array.of(number),
});

/** Fetches while `work` runs; `answer` is what the feeders say. */
async function during(
  documents: LookAhead<IncomingDocument>,
  answer: (number: number) => CorpusAnswer,
  work: () => Promise<void>,
): Promise<number[]> {
  const asked: number[] = [];
  const abort = new AbortController();
  const streams = {
    requestDocument: async (_corpus: string, number: number) => {
      asked.push(number);
      return answer(number);
    },
  };
  const fetching = fetchMissing(documents, { streams, corpus: 'ab', until: 9, signal: abort.signal, log });
  await Promise.race([work(), fetching]);
  abort.abort();
  await fetching;
  return asked;
}

it('asks at once for what the stream has passed over, one after another, and for nothing else', async () => {
  const documents = new LookAhead<IncomingDocument>(2, 8, new Notifier());
  documents.offer(5, 4, document(5));
  const asked = await during(documents, document, async () => {
    for (const number of [2, 3, 4, 5]) {
      await expect.poll(() => documents.ready, { timeout: 1_500, interval: 10 }).toBe(true);
      if (number < 5)
        expect(documents.messageOf(number)).toEqual({ bytes: Uint8Array.of(number), position: 0 });
      expect(documents.take()).toMatchObject({ number, text: 'text' });
    }
  });
  expect(asked).toEqual([2, 3, 4]);
});

it('asks after a while for what may only be late, and waits for a feeder that has it', async () => {
  const documents = new LookAhead<IncomingDocument>(0, 8, new Notifier());
  let published = false;
  const asked = await during(
    documents,
    (number) => (published ? document(number) : 'not published'),
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 2_600));
      published = true;
      await expect.poll(() => documents.ready, { timeout: 5_000 }).toBe(true);
    },
  );
  expect(asked).toEqual([0, 0]);
}, 15_000);

it('ends the training where a feeder has another corpus', async () => {
  const documents = new LookAhead<IncomingDocument>(0, 8, new Notifier());
  documents.offer(1, 1, document(1));
  const refusing = during(
    documents,
    () => {
      throw new FuseMeshError('already_exists', 'another corpus');
    },
    () => new Promise(() => {}),
  );
  await expect(refusing).rejects.toMatchObject({ code: 'already_exists' });
});
