import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import type { JoinedDocument, UsableDocument } from '../../fusion/batch/joined-document.ts';
import { smallDistribution } from '../../test/support/small-distribution.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import { documentToBytes } from '../../wire/codec/document-bytes.ts';
import { refusedDistribution, type TextDistribution } from '../../wire/codec/text-distribution.ts';
import { DocumentSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { recordedDocuments } from './recorded-documents.ts';
import { Recording } from './recording.ts';
import { type DocumentRecord, RecordingWriter } from './recording-writer.ts';

const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const json = await readFile(join(zoo, 'orator', 'tokenizer.json'));
const tokenizerFingerprint = new Uint8Array(createHash('sha256').update(json).digest());
const tokenizerSha256 = Buffer.from(tokenizerFingerprint).toString('hex');
const text = 'sixsix';

const documentOf = (number: number) =>
  documentToBytes(create(DocumentSchema, { number: BigInt(number), text, domain: 'speeches' }));
const said = (teacher: string, document: number, changes: Partial<TextDistribution> = {}) =>
  smallDistribution({ teacher, document, tokenizerFingerprint, ...changes });
const refused = (teacher: string, document: number) =>
  distributionToBytes(refusedDistribution({ teacher, document, tokenizerFingerprint }, 'too long'), 100);

/** Records of orator and novelist. */
async function recordingOf(records: readonly DocumentRecord[], { topK = 1 } = {}): Promise<string> {
  const directory = await temporaryDirectory();
  const facts = {
    corpusSha256: 'ab'.repeat(32),
    documents: records.length,
    textBytes: 6 * records.length,
    contextLength: 64,
    topK,
    seed: 0,
  };
  const sources = ['orator', 'novelist'];
  const writer = await RecordingWriter.open(directory, { facts, sources });
  const chatFormat = { template: '', specialTokens: {} };
  const model = { tokenizerSha256, vocabularySize: 100, modelFingerprint: null, chatFormat };
  for (const name of sources) await writer.hears(name, model, json);
  for (const record of records) await writer.append(record);
  await writer.save();
  await writer.close();
  return directory;
}

async function read(
  directory: string,
  numbers: readonly number[],
  { names, ...kept }: { names?: readonly string[]; topK?: number; topP?: number } = {},
) {
  const recording = await Recording.open(directory, names);
  const documents: JoinedDocument[] = [];
  const { signal } = new AbortController();
  try {
    for await (const document of recordedDocuments(recording, { numbers, topK: 1, ...kept, signal })) {
      documents.push(document);
    }
  } finally {
    await recording.close();
  }
  return documents;
}

it('gives what a live join gives: absent sources, what cannot be used, and what a source cannot score', async () => {
  const directory = await recordingOf([
    { document: documentOf(0), distributions: [said('orator', 0), said('novelist', 0)] },
    { document: documentOf(1), distributions: [undefined, said('novelist', 1)] },
    { document: undefined, distributions: [] },
    { document: documentOf(3), distributions: [refused('orator', 3), said('novelist', 3)] },
  ]);
  const [third, second, first, unusable] = await read(directory, [3, 1, 0, 2]);
  expect(first).toMatchObject({
    number: 0,
    content: text,
    distributions: [{ teacher: 'orator' }, { teacher: 'novelist' }],
  });
  expect(second).toMatchObject({
    number: 1,
    distributions: [undefined, { teacher: 'novelist', document: 1 }],
  });
  expect(unusable).toMatchObject({
    number: 2,
    unusable: expect.stringContaining('recorded'),
    present: undefined,
  });
  expect(third).toEqual({ number: 3, unusable: 'teacher orator cannot score it: too long', present: [0, 1] });
  // Without the teacher that cannot score it, it is learnt from.
  expect(await read(directory, [3], { names: ['novelist'] })).toMatchObject([
    { number: 3, content: text, distributions: [{ teacher: 'novelist' }] },
  ]);
});

it('says how the target wrote a document', async () => {
  const rollout = { weightsStep: 3n, tokens: 2, logProbability: -1.5, teacher: 'orator' };
  const turns = [{ content: 'six' }, { content: 'six', learnt: true, unfinished: true }];
  const document = documentToBytes(create(DocumentSchema, { number: 0n, turns, rollout }));
  const directory = await recordingOf([{ document, distributions: [undefined, undefined] }]);
  expect(await read(directory, [0])).toMatchObject([{ number: 0, content: { turns }, rollout }]);
});

it('gives as many candidates as hold a share of their mass, where all of them are recorded', async () => {
  const candidates = {
    topK: 3,
    candidateIds: Int32Array.of(4, 9, 2, 5, 1, 8),
    logProbabilities: Float32Array.of(-0.5, -2, -3, -1, -1.5, -2.5),
  };
  const distributions = [said('orator', 0, candidates)];
  const directory = await recordingOf([{ document: documentOf(0), distributions }], { topK: 3 });
  const readAs = async (kept: { topK: number; topP?: number }) => {
    const [{ distributions }] = (await read(directory, [0], kept)) as UsableDocument[];
    return distributions[0]!;
  };
  expect(await readAs({ topK: 3 })).toMatchObject(candidates);
  const most = await readAs({ topK: 3, topP: 0.8 });
  expect([...most.candidateIds]).toEqual([4, 9, 4, 5, 1, 5]);
  expect(most.tokenLogProbabilities).toEqual(Float32Array.of(0, -1));
  expect((await readAs({ topK: 2, topP: 1 })).logProbabilities[1]).toBeCloseTo(-2, 1);
});

it.each([
  ['of another document', [said('orator', 1)], 'is recorded as about 1'],
  ['of another teacher', [said('novelist', 0)], 'teacher is "novelist"'],
  [
    'of another text',
    [said('orator', 0, { ends: Int32Array.of(2, 5), predictedBytes: 3 })],
    'not of its text',
  ],
  [
    'that is impossible',
    [
      said('orator', 0, {
        keptMass: Float32Array.of(0.5, 0.25),
        tokenIds: Int32Array.of(3, 4),
        candidateIds: Int32Array.of(99, 99),
        logProbabilities: Float32Array.of(1, 1),
      }),
    ],
    'cannot be used',
  ],
])('refuses what is %s', async (_what, distributions, message) => {
  const other = { document: documentOf(1), distributions: [said('orator', 1)] };
  const directory = await recordingOf([{ document: documentOf(0), distributions }, other]);
  await expect(read(directory, [0])).rejects.toThrow(message);
  expect(await read(directory, [1])).toHaveLength(1);
});
