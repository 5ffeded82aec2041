import { expect, test } from 'vitest';
import { experiments } from './experiments.ts';
import { parseOptions } from './options.ts';

const namesOf = (...parameters: string[]) =>
  parseOptions(parameters)
    .choose(experiments)
    .map(({ name }) => name);

test('without options all experiments run with five seeds', () => {
  expect(parseOptions([]).seeds).toEqual([0, 1, 2, 3, 4]);
  expect(namesOf()).toHaveLength(experiments.length);
});

test('the quick form is one seed of the main table; names are chosen by a pattern', () => {
  expect(parseOptions(['--quick']).seeds).toEqual([0]);
  expect(namesOf('--quick')).toEqual(expect.arrayContaining(['before', 'continued training', 'default']));
  expect(namesOf('--quick')).not.toContain('k = 1');
  expect(namesOf('--only', '^k = ')).toEqual(['k = 1', 'k = 10', 'k = 50, float16']);
});

test('a learning rate goes to every experiment that is chosen', () => {
  const chosen = parseOptions(['--learning-rate', '1e-3']).choose(experiments);
  expect(new Set(chosen.map(({ learningRate }) => learningRate))).toEqual(new Set([1e-3]));
});

test.each([
  ['--seeds', '0'],
  ['--seeds', '1.5'],
  ['--learning-rate', 'x'],
  ['--only', '('],
  ['--write', '--quick'],
  ['--write', '--only=k'],
])('%s %s is refused', (...parameters) => {
  expect(() => parseOptions(parameters)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});

test('an unknown option is refused', () => {
  expect(() => parseOptions(['--other'])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});

test('every experiment has a name of its own', () => {
  expect(new Set(experiments.map(({ name }) => name)).size).toBe(experiments.length);
});
