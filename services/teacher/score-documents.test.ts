import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { DocumentSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { DeliveredDocument } from '../../wire/nats/run-streams.ts';
import { scoreDocuments } from './score-documents.ts';

let scorer: Scorer;
beforeAll(async () => {
  scorer = await Scorer.load(new URL('../../examples/zoo/orator', import.meta.url).pathname, {
    topK: 4,
    threads: 1,
  });
});
afterAll(() => scorer?.close());

const delivered = (number: number, text: string): DeliveredDocument => ({
  document: create(DocumentSchema, { number: BigInt(number), text }),
  working: () => undefined,
  traceparent: () => undefined,
  ack: async () => undefined,
  refuse: async () => undefined,
});

test('a document that is too long is refused alone, and the others of its batch are scored as they are without it', async () => {
  const batch = [
    delivered(0, 'We the people.'),
    delivered(1, 'Hello. '.repeat(3_000)),
    delivered(2, 'Of all.'),
  ];
  const { accepted, scored, refused } = await scoreDocuments(scorer, batch, 4);
  expect(accepted.map(({ document }) => document.number)).toEqual([0n, 2n]);
  expect(refused.map(({ delivered: { document } }) => document.number)).toEqual([1n]);
  expect(refused[0].reason).toMatch(/tokens, the context of .* split the text/);
  const [alone] = await scorer.score(['Of all.'], 4);
  expect(scored[1].tokenization).toEqual(alone.tokenization);
  expect(scored[1].crossEntropy).toBeCloseTo(alone.crossEntropy, 4);
});

test('what has nothing to do with the texts is passed on', async () => {
  const broken = {
    score: async () => {
      throw new FuseMeshError('internal', 'the session is gone');
    },
  };
  await expect(scoreDocuments(broken, [delivered(0, 'a'), delivered(1, 'b')], 4)).rejects.toThrow('session');
});
