import colors from 'picocolors';
import { expect, test } from 'vitest';
import { lossTable } from './loss-table.ts';

const plain = colors.createColors(false);

test('prints one line a domain, in columns', () => {
  const table = lossTable(
    [
      { name: 'speeches', before: 2.5, after: 2, teachers: { orator: 1.75, novelist: 3 } },
      { name: 'fiction', before: 2, after: 2.1, teachers: { orator: 12.25, novelist: 1.5 } },
    ],
    plain,
  );
  expect(table.split('\n')).toEqual([
    'bits per byte  orator  novelist  target before  target after   change',
    'speeches        1.750     3.000          2.500         2.000  −20.0 %',
    'fiction        12.250     1.500          2.000         2.100   +5.0 %',
  ]);
});

test('leaves out what is not trained yet', () => {
  const table = lossTable([{ name: 'speeches', before: 2.5, after: null, teachers: {} }], plain);
  expect(table.split('\n')[1]).toBe('speeches               2.500             –       –');
});
