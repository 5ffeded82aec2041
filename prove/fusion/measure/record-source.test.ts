import { join } from 'node:path';
import { expect, test } from 'vitest';
import { modelDirectory } from '../../../examples/zoo/layout.ts';
import { Scorer } from '../../../model/scoring/scorer.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { recordedDocuments } from '../../../trainer/recording/recorded-documents.ts';
import { Recording } from '../../../trainer/recording/recording.ts';
import { distributionFromBytes } from '../../../wire/codec/distribution-bytes.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import { recordSource } from './record-source.ts';
import { scoreTexts } from './score-texts.ts';

const texts = [
  'Fellow citizens of the Senate and of the House of Representatives.',
  'Call me Ishmael. Some years ago, never mind how long precisely, I went to sea.',
  'npm install reads the file package.json and puts 201 packages into node_modules.',
];
const never = new AbortController().signal;
const orator = { name: 'orator', model: modelDirectory('orator') };

test('what is recorded with fifty candidates, read with fewer, is what a teacher sends that is asked for so many', async () => {
  const directory = join(await temporaryDirectory(), 'orator');
  const documents = { texts, sha256: 'ab'.repeat(32), contextLength: 64 };
  const recording = { directory, say: () => undefined, signal: never };
  expect(await recordSource(orator, documents, recording)).toBe(3);
  expect(await recordSource(orator, documents, recording)).toBe(0);
  const recorded = await Recording.open(directory);
  const scorer = await Scorer.load(orator.model, { topK: 1, threads: 1 });
  for (const topK of [1, 5, 10, 50]) {
    const sent: TextDistribution[] = [];
    for await (const bytes of scoreTexts(scorer, 'orator', texts, { topK, signal: never })) {
      sent.push(distributionFromBytes(bytes));
    }
    const numbers = [2, 0, 1];
    const read = [];
    for await (const document of recordedDocuments(recorded, { numbers, topK, signal: never })) {
      read.push(document);
    }
    for (const [i, number] of numbers.entries()) {
      const { keptMass: sentMass, ...rest } = sent[number];
      const [distribution] = read[i].unusable === undefined ? read[i].distributions : [];
      const { keptMass, ...cut } = distribution!;
      expect(read[i]).toMatchObject({ number, content: texts[number] });
      expect(cut).toEqual(rest);
      // Added up after the rounding of the wire, not before.
      for (const [row, mass] of keptMass.entries()) expect(mass).toBeCloseTo(sentMass[row], 2);
    }
  }
  await scorer.close();
  await recorded.close();
});
