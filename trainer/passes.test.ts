import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stepsBehind, stretchesBehind } from './passes.ts';

it('takes every document once in each pass, and begins each pass with a batch of its own', () => {
  const passes = { documents: 10, epochs: 3, batchDocuments: 4 };
  expect(stepsBehind(passes, 0)).toBe(9);
  expect(stretchesBehind(passes, 0, 9)).toEqual([
    { epoch: 0, begin: 0, end: 10 },
    { epoch: 1, begin: 0, end: 10 },
    { epoch: 2, begin: 0, end: 10 },
  ]);
  expect(stretchesBehind(passes, 14, 4)).toEqual([
    { epoch: 1, begin: 4, end: 10 },
    { epoch: 2, begin: 0, end: 8 },
  ]);
  expect(stretchesBehind(passes, 10, 1)).toEqual([{ epoch: 1, begin: 0, end: 4 }]);
  expect(stepsBehind(passes, 30)).toBe(0);
  expect(stretchesBehind(passes, 30, 5)).toEqual([]);
});

it('goes on from any step as if it had not stopped', () => {
  const positive = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(positive, positive, positive, fc.nat(400), (documents, epochs, batchDocuments, at) => {
      const passes = { documents, epochs, batchDocuments };
      const steps = stepsBehind(passes, 0);
      const first = at % (steps + 1);
      const before = stretchesBehind(passes, 0, first);
      const done = before.reduce((sum, { begin, end }) => sum + end - begin, 0);
      expect(stepsBehind(passes, done)).toBe(steps - first);
      const all = stretchesBehind(passes, 0, steps);
      const rest = stretchesBehind(passes, done, steps - first);
      const documentsOf = (stretches: typeof all) =>
        stretches.flatMap(({ epoch, begin, end }) =>
          Array.from({ length: end - begin }, (_, i) => epoch * documents + begin + i),
        );
      expect([...documentsOf(before), ...documentsOf(rest)]).toEqual(documentsOf(all));
      expect(documentsOf(all)).toHaveLength(documents * epochs);
    }),
  );
});
