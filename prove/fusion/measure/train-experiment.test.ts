import { expect, test } from 'vitest';
import { modelDirectory } from '../../../examples/zoo/layout.ts';
import { Scorer } from '../../../model/scoring/scorer.ts';
import { distributionFromBytes } from '../../../wire/codec/distribution-bytes.ts';
import { scoreTexts } from './score-texts.ts';
import { cutDistribution } from './train-experiment.ts';

const texts = [
  'Fellow citizens of the Senate and of the House of Representatives.',
  'Call me Ishmael. Some years ago, never mind how long precisely, I went to sea.',
  'npm install reads the file package.json and puts 201 packages into node_modules.',
];
const never = new AbortController().signal;

test('fifty candidates cut to fewer are what a teacher sends that is asked for so many', async () => {
  const scorer = await Scorer.load(modelDirectory('orator'), { topK: 1, threads: 1 });
  const sent = async (topK: number) =>
    (await scoreTexts(scorer, 'orator', texts, topK, never)).map(distributionFromBytes);
  const recorded = await sent(50);
  for (const topK of [1, 5, 10]) {
    for (const [i, { keptMass: sentMass, ...rest }] of (await sent(topK)).entries()) {
      const { keptMass, ...cut } = cutDistribution(recorded[i], topK);
      expect(cut).toEqual(rest);
      // Added up after the rounding of the wire, not before.
      for (const [row, mass] of keptMass.entries()) expect(mass).toBeCloseTo(sentMass[row], 2);
    }
  }
  await scorer.close();
});
