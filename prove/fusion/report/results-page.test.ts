import { expect, test } from 'vitest';
import type { Experiment } from '../experiment.ts';
import { experiments } from '../experiments.ts';
import { openLora } from '../studies/other-targets.ts';
import { resultsPage } from './results-page.ts';
import { studyPage } from './study-page.ts';

/** Losses that are easy to reckon with; every seed has an offset of its own, which is common to all experiments. */
const meanLoss = ({ name, share = 1 }: Experiment): number => {
  if (name === 'before') return 3;
  if (name === 'continued training') return 2.75;
  if (name === 'k = 1') return 2.5625;
  return 2.5 + (1 - share) / 2;
};
const results = (seeds: readonly number[]) =>
  experiments.flatMap((experiment) =>
    seeds.map((seed) => {
      const { name, share = 1, passes = 1 } = experiment;
      const loss = meanLoss(experiment) + seed / 1024;
      return {
        experiment: name,
        share,
        passes,
        result: {
          key: `${name} ${seed}`,
          name,
          seed,
          learningRate: 3e-3,
          steps: 304 * share * passes,
          skippedSteps: 0,
          tokens: 1000 * share * passes,
          seconds: 36,
          weightsSha256: '',
          bitsPerByte: { speeches: loss - 0.5, fiction: loss + 0.5 },
        },
      };
    }),
  );
const pageOf = (seeds: readonly number[]) =>
  resultsPage({
    experiments,
    results: results(seeds),
    combinations: [{ name: 'orator alone', bitsPerByte: { speeches: 1.5, fiction: 2.25 } }],
    compared: 'the corpus',
    remarks: 'Nothing else.',
    circumstances: { command: 'npm run prove -- fusion --write', facts: [['CPU', 'of a test']] },
  });
const page = pageOf([1, 2, 3]);
const text = page.get('results.md')!;

test('says what was run, on what, with which seeds', () => {
  expect(text).toContain('```sh\nnpm run prove -- fusion --write\n```');
  expect(text).toContain('| CPU | of a test |');
  expect(text).toContain('| seeds | 1, 2, 3 |');
  expect(text).toMatch(/\n\nNothing else\.\n$/);
});

test('pairs by seed: what all experiments of a seed have in common is no noise', () => {
  expect(text).toContain('| speeches | −0.2500 ± 0.0000 | −11.10 ± 0.01 % | yes | yes |');
  expect(text).toContain('| k = 1 | +0.0625 ± 0.0000 | yes | −0.1875 ± 0.0000 | yes |');
  expect(text).toContain('| orator and novelist | 0.0000 ± 0.0000 | 0.0000 ± 0.0000 | 0.0000 ± 0.0000 |');
});

test('finds the share of the text that is enough', () => {
  expect(text).toContain('| 1 | 50.0 % |');
  expect(text).toContain('2.00 times less');
});

test('says how well the teachers predict the corpus', () => {
  expect(text).toContain('| orator alone | 1.5000 | 2.2500 | 1.8750 |');
});

test('a single seed claims nothing', () => {
  const single = pageOf([1]).get('results.md')!;
  expect(single).toContain('| speeches | −0.2500 | −11.11 % | one seed cannot tell | one seed cannot tell |');
  expect(single).not.toContain('±');
});

test('another study has a page of its own, with its picture beside it', async () => {
  const { name, page: ofStudy } = await openLora();
  const names = ['before', 'continued training', 'default', 'orator alone'];
  const study = { name, experiments: experiments.filter((each) => names.includes(each.name)) };
  const pages = studyPage(study, ofStudy!, {
    results: results([1, 2]).filter(({ experiment }) => names.includes(experiment)),
    compared: 'other text',
    circumstances: { command: 'npm run prove -- fusion --study lora --write', facts: [] },
  });
  const own = pages.get('results/lora.md')!;
  expect(own).toMatch(
    /^# A target with adapters\n\n<!-- Written by `npm run prove -- fusion --study lora --write`\. -->/,
  );
  expect(own).toContain('| seeds | 1, 2 |');
  expect(own).toContain('Held-out text was compared with other text.');
  expect(own).toContain('| speeches | −0.2500 ± 0.0000 | −11.10 ± 0.03 % | yes | yes |');
  expect(own).toContain('| orator alone | same as the default |  | −0.2500 ± 0.0000 | yes |');
  expect(own).toContain('](lora.svg)');
  expect(pages.get('results/lora.svg')).toContain('orator alone');
  expect(own).not.toMatch(/NaN|undefined|Infinity/);
});

test('every picture that the page shows is there', () => {
  const shown = [...text.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path]) => path);
  expect(shown).toEqual([...page.keys()].filter((name) => name.endsWith('.svg')));
  for (const path of shown) expect(page.get(path)).not.toMatch(/NaN|undefined|Infinity/);
  expect(text).not.toMatch(/NaN|undefined|Infinity/);
});
