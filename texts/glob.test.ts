import { expect, test } from 'vitest';
import { folderOfGlob, globExpression } from './glob.ts';

const names = [
  '/a/train-0.parquet',
  '/a/train-1.parquet',
  '/a/test-0.parquet',
  '/a/b/train-0.parquet',
  '/a/b/c/train-0.jsonl',
  '/a/train-0xparquet',
];

test.each([
  ['/a/train-*.parquet', [0, 1]],
  ['/a/train-?.parquet', [0, 1]],
  ['/a/**/train-*', [0, 1, 3, 4, 5]],
  ['/a/**', [0, 1, 2, 3, 4, 5]],
  ['/a/{train,test}-0.parquet', [0, 2]],
  ['/a/train-[!0].parquet', [1]],
  ['/*/*/train-0.parquet', [3]],
])('%s', (pattern, matches) => {
  const expression = globExpression(pattern);
  expect(names.filter((name) => expression.test(name))).toEqual(matches.map((i) => names[i]));
});

test('the folder of a pattern is what stands before its first sign', () => {
  expect(folderOfGlob('/a/b/train-*')).toBe('/a/b');
  expect(folderOfGlob('/a/{b,c}/*.txt')).toBe('/a');
  expect(folderOfGlob('/*.txt')).toBe('/');
});
