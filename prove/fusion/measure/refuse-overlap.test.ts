import { expect, test } from 'vitest';
import { textsOf } from '../../../process/config/corpus-of-run.ts';
import { refuseOverlap, refuseShared } from './refuse-overlap.ts';
import { loadDemo } from './settings.ts';

const sentence = 'The keeper of the lighthouse wrote down every ship that passed by in the night.';

test('a held-out sentence in the corpus is refused, wherever its lines break', () => {
  const corpus = [`Before. ${sentence.replaceAll(' ', '\n')} After.`];
  expect(() => refuseShared(['Something else.', sentence], corpus)).toThrow(/keeper of the lighthouse/);
  expect(() => refuseShared([sentence.slice(0, 50)], corpus)).not.toThrow();
});

test("the demo's texts pass, and a corpus that is evaluated on does not", async () => {
  const demo = await loadDemo();
  expect(await refuseOverlap(demo)).toMatch(/^the corpus/);
  await expect(refuseOverlap({ ...demo, heldOut: textsOf(demo).slice(2) })).rejects.toMatchObject({
    code: 'failed_precondition',
  });
});
