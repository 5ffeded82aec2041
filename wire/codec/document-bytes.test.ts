import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CorpusManifestSchema,
  type Document,
  DocumentSchema,
  RolloutSchema,
  TurnSchema,
} from '../generated/fusemesh/v1/corpus_pb.ts';
import {
  documentFromBytes,
  documentToBytes,
  manifestFromBytes,
  mostDocumentBytes,
} from './document-bytes.ts';

const document = (fields: Partial<Omit<Document, '$typeName'>>) =>
  create(DocumentSchema, { number: 7n, text: 'text', ...fields });
const refused = (bytes: Uint8Array, reason: RegExp) =>
  expect(() => documentFromBytes(bytes, 7)).toThrow(
    expect.objectContaining({ code: 'data_loss', message: expect.stringMatching(reason) }),
  );

describe('a document', () => {
  it('comes back as it was, a byte-order mark too', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(
        fc.nat(),
        fc.oneof(
          text,
          text.map((one) => `\ufeff${one}`),
        ),
        fc.string(),
        (number, text, domain) => {
          const sent = document({ number: BigInt(number), text, domain });
          expect(documentFromBytes(documentToBytes(sent), number)).toEqual(sent);
        },
      ),
    );
  });

  it('is refused with a reason that names what is wrong', () => {
    const bytes = (fields: Parameters<typeof document>[0]) => toBinary(DocumentSchema, document(fields));
    refused(bytes({ text: '' }), /^Document 7 has no text/);
    refused(bytes({ number: 8n }), /in its place stands number 8/);
    refused(
      bytes({ schemaVersion: 3 }),
      /^Document 7 was made by a newer version.*bring this process up to date/,
    );
    refused(bytes({ text: 'x'.repeat(mostDocumentBytes + 5_000) }), /has \d+ bytes/);
    refused(bytes({}).slice(0, -1), /are no document/);
    refused(Uint8Array.of(8, 7, 18, 3, 0xff, 0xfe, 0x41), /utf-8/);
    refused(
      new Uint8Array(20_000).map((_, i) => (i % 2 ? 0 : 0x78)),
      /more than \d+ fields/,
    );
    expect(documentFromBytes(bytes({ schemaVersion: 1 }), 7).text).toBe('text');
  });

  it('may be a conversation, which comes back as it was', () => {
    const turns = fc.array(
      fc.record({
        role: fc.constantFrom('system', 'user', 'assistant', 'tool', ''),
        content: fc.string({ unit: 'binary' }),
        learnt: fc.boolean(),
        extras: fc.constantFrom('', '{"name":"x"}'),
        unfinished: fc.boolean(),
      }),
      { minLength: 1, maxLength: 100 },
    );
    fc.assert(
      fc.property(turns, fc.constantFrom('', '[{"type":"function"}]'), (said, tools) => {
        const sent = document({
          text: '',
          turns: said.map((turn) => create(TurnSchema, turn)),
          tools,
          schemaVersion: 2,
        });
        expect(documentFromBytes(documentToBytes(sent), 7)).toEqual(sent);
      }),
    );
  });

  it('of turns is refused where they cannot be read', () => {
    const bytes = (fields: Parameters<typeof document>[0], turn = {}) =>
      toBinary(DocumentSchema, document({ text: '', turns: [create(TurnSchema, turn)], ...fields }));
    refused(bytes({ text: 'x' }), /^Document 7 has a text and turns/);
    refused(bytes({ tools: '{}' }), /tools that are no JSON array/);
    refused(bytes({}, { extras: '[1]' }), /extras in turn 0 that are no JSON object/);
    refused(bytes({}, { extras: '{' }), /extras in turn 0/);
  });

  it('may be what the target wrote, which comes back as it was', () => {
    const turns = [create(TurnSchema, { content: 'a' }), create(TurnSchema, { content: '', learnt: true })];
    const rollout = { weightsStep: 7n, prompt: 3n, seed: 5, tokens: 1, logProbability: -0.5, seconds: 0.1 };
    const written = (changes: object = {}, ofTurns = turns) =>
      document({ text: '', turns: ofTurns, rollout: create(RolloutSchema, { ...rollout, ...changes }) });
    const sent = written({ teacher: 'fiction' });
    expect(documentFromBytes(documentToBytes(sent), 7)).toEqual(sent);
    const bytes = (...given: Parameters<typeof written>) => toBinary(DocumentSchema, written(...given));
    refused(bytes({}, turns.slice(0, 1)), /^Document 7 has a rollout, but its last turn is not learnt/);
    refused(bytes({ tokens: 0 }), /a rollout of no token/);
    refused(bytes({ logProbability: Number.NaN }), /log_probability NaN/);
    refused(bytes({ logProbability: 1 }), /log_probability 1/);
    refused(bytes({ seconds: -1 }), /a rollout of -1 seconds/);
    refused(bytes({ weightsStep: 2n ** 60n }), /weights_step 1152921504606846976/);
  });

  it('that every reader would refuse is not sent', () => {
    for (const text of ['', 'x'.repeat(mostDocumentBytes + 5_000)]) {
      expect(() => documentToBytes(document({ text }))).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      );
    }
  });
});

describe("a corpus's manifest", () => {
  const good = { documents: 9n, textBytes: 90n, sha256: new Uint8Array(32), contextLength: 64 };
  const read = (fields: object) =>
    manifestFromBytes(toBinary(CorpusManifestSchema, create(CorpusManifestSchema, { ...good, ...fields })));

  it('is taken whole or refused with the field', () => {
    expect(read({})).toMatchObject(good);
    for (const [fields, reason] of [
      [{ documents: 0n }, /documents is 0/],
      [{ documents: 2n ** 63n }, /documents is 9223372036854775808/],
      [{ sha256: new Uint8Array(31) }, /sha256 has 31 bytes/],
      [{ contextLength: 0 }, /context_length is 0/],
      [{ schemaVersion: 5 }, /newer version/],
    ] as const) {
      expect(() => read(fields)).toThrow(
        expect.objectContaining({ code: 'data_loss', message: expect.stringMatching(reason) }),
      );
    }
    expect(() => manifestFromBytes(Uint8Array.of(255, 255, 1))).toThrow(/--fresh/);
  });
});
