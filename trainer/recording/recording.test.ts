import { createHash } from 'node:crypto';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { Recording } from './recording.ts';
import { type DocumentRecord, RecordingWriter } from './recording-writer.ts';

const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const json = await readFile(join(zoo, 'orator', 'tokenizer.json'));
const model = {
  tokenizerSha256: createHash('sha256').update(json).digest('hex'),
  vocabularySize: 600,
  modelFingerprint: 'aa',
  chatFormat: { template: '', specialTokens: {} },
};
const sources = ['orator', 'novelist'];
const factsOf = (documents: number) => ({
  corpusSha256: 'ab'.repeat(32),
  documents,
  textBytes: 100,
  contextLength: 64,
  topK: 8,
  seed: 0,
});

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Records of a corpus; every third document lacks what the novelist says, every fifth cannot be used. */
const recordOf = (number: number): DocumentRecord =>
  number % 5 === 4
    ? { document: undefined, distributions: [] }
    : {
        document: bytesOf(`document ${number}`),
        distributions: [
          bytesOf(`what orator says about ${number} `.repeat(number + 1)),
          number % 3 === 2 ? undefined : bytesOf(`novelist ${number}`),
        ],
      };

async function write(directory: string, documents: number, from = 0): Promise<void> {
  const writer = await RecordingWriter.open(directory, { facts: factsOf(documents), sources });
  expect(writer.recorded).toBe(from);
  for (const name of sources) await writer.hears(name, model, json);
  for (let number = from; number < documents; number++) await writer.append(recordOf(number));
  await writer.save();
  await writer.close();
}

async function expectWhole(directory: string, documents: number): Promise<void> {
  const recording = await Recording.open(directory);
  for (let number = 0; number < documents; number++) {
    const { document, distributions } = recordOf(number);
    expect(await recording.read(number)).toEqual(document);
    for (const [s, source] of recording.sources.entries()) {
      expect(await source.read(number)).toEqual(distributions[s]);
    }
  }
  await recording.close();
}

describe('a recording', () => {
  it('gives every record again, in any order, with the tokenizers of its sources', async () => {
    const directory = await temporaryDirectory();
    await write(directory, 12);
    await expectWhole(directory, 12);
    const recording = await Recording.open(directory, ['novelist']);
    expect(recording.sources.map(({ name }) => name)).toEqual(['novelist']);
    expect(recording.sources[0].encoder?.tokenizer.json).toEqual(json);
    expect(await recording.sources[0].read(10)).toEqual(bytesOf('novelist 10'));
    await recording.close();
  });

  it('that was killed anywhere goes on behind what was saved', async () => {
    const documents = 20;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ documents: fc.nat(6), saves: fc.boolean() }), { maxLength: 6 }),
        async (lives) => {
          const directory = await temporaryDirectory();
          let saved = 0;
          for (const life of lives) {
            const writer = await RecordingWriter.open(directory, { facts: factsOf(documents), sources });
            expect(writer.recorded).toBe(saved);
            const end = Math.min(documents, saved + life.documents);
            for (const name of sources) await writer.hears(name, model, json);
            for (let number = saved; number < end; number++) await writer.append(recordOf(number));
            if (life.saves) {
              await writer.save();
              saved = end;
            }
            // What follows the last save is on disk in part.
            if (end < documents) await writer.append({ document: Buffer.alloc(1 << 20), distributions: [] });
            await writer.close();
          }
          await write(directory, documents, saved);
          await expectWhole(directory, documents);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is cut back to where a training resumes, and refuses to begin behind its end', async () => {
    const directory = await temporaryDirectory();
    await write(directory, 9);
    const writer = await RecordingWriter.open(directory, { facts: factsOf(9), sources, from: 4 });
    await writer.close();
    await expect(Recording.open(directory)).rejects.toThrow('has 4 of 9 documents');
    await expect(RecordingWriter.open(directory, { facts: factsOf(9), sources, from: 5 })).rejects.toThrow(
      'has 4 documents, 5 are needed',
    );
    await write(directory, 9, 4);
    await expectWhole(directory, 9);
  });

  it.each([
    ['another corpus', { corpusSha256: 'cd'.repeat(32) }, 'has corpusSha256 abab'],
    ['another k', { topK: 4 }, 'has topK 8 and not 4'],
    ['another context', { contextLength: 32 }, 'has contextLength 64 and not 32'],
  ])('of %s is refused', async (_what, change, message) => {
    const directory = await temporaryDirectory();
    await write(directory, 3);
    const facts = { ...factsOf(3), ...change };
    await expect(RecordingWriter.open(directory, { facts, sources })).rejects.toThrow(message);
  });

  it('of other sources or other tokenizers is refused', async () => {
    const directory = await temporaryDirectory();
    await write(directory, 3);
    const facts = factsOf(3);
    await expect(RecordingWriter.open(directory, { facts, sources: ['orator'] })).rejects.toThrow(
      'has sources orator, novelist and not orator',
    );
    const writer = await RecordingWriter.open(directory, { facts, sources });
    const other = { ...model, tokenizerSha256: 'ef'.repeat(32) };
    await expect(writer.hears('orator', other, json)).rejects.toThrow('another tokenizer as "orator"');
    await writer.close();
    await expect(Recording.open(directory, ['engineer'])).rejects.toThrow('it has orator, novelist');
    await expect(Recording.open(join(directory, 'nothing'))).rejects.toThrow('There is no recording in');
  });
});

describe('damage of a recording', () => {
  const flip = async (path: string, at: number) => {
    const bytes = await readFile(path);
    bytes[at] ^= 1;
    await writeFile(path, bytes);
  };
  const damaged = async () => {
    const directory = await temporaryDirectory();
    await write(directory, 8);
    return directory;
  };

  it('in a record is named by file and record, and leaves the others', async () => {
    const directory = await damaged();
    const path = join(directory, 'sources', 'orator.records');
    await flip(path, (await stat(path)).size - 1);
    const recording = await Recording.open(directory);
    const [orator] = recording.sources;
    expect(await orator.read(6)).toEqual(recordOf(6).distributions[0]);
    await expect(orator.read(7)).rejects.toThrow(/orator\.records: record 7, \d+ bytes at \d+,/);
    await recording.close();
  });

  it('at the end of a file is found when that is read', async () => {
    const directory = await damaged();
    const path = join(directory, 'documents.records');
    await truncate(path, (await stat(path)).size - 1);
    const recording = await Recording.open(directory);
    await expect(recording.read(7)).rejects.toThrow(/documents\.records: record 7/);
    await recording.close();
    await expect(RecordingWriter.open(directory, { facts: factsOf(8), sources })).rejects.toThrow(
      /documents\.records is not what was written/,
    );
  });

  it.each(['documents.index', 'sources/novelist.index', 'recording.json'])(
    'of %s is found at once',
    async (name) => {
      const directory = await damaged();
      const path = join(directory, name);
      const at = name.endsWith('.json') ? (await readFile(path, 'utf8')).indexOf('"topK": 8') + 8 : 17;
      await flip(path, at);
      await expect(Recording.open(directory)).rejects.toThrow(/is not what was written/);
      await expect(RecordingWriter.open(directory, { facts: factsOf(8), sources })).rejects.toThrow(
        /is not what was written/,
      );
    },
  );
});
