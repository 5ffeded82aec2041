import { expect, test } from 'vitest';
import type { Experiment } from '../experiment.ts';
import { resultKey } from './result-key.ts';
import { loadDemo, settingsOf } from './settings.ts';

const demo = await loadDemo();
const circumstances = { seed: 1, documents: 'd', heldOut: 'h', models: ['m'], code: 'c' };
const sources = ['orator', 'target'];
const keyOf = (changes: Partial<Experiment>, others = {}) =>
  resultKey(settingsOf({ name: 'any', group: 'main', sources, ...changes }, demo, demo.target.model), {
    ...circumstances,
    ...others,
  });

test('what sets the default anyway has its key, whatever it is called', () => {
  expect(keyOf({ name: 'other', fusion: { combine: 'evidence' }, topK: 50, share: 1 })).toBe(keyOf({}));
});

test.each<Partial<Experiment>>([
  { sources: ['orator'] },
  { topK: 5 },
  { topP: 0.9 },
  { asRecorded: true },
  { lambda: 0.5 },
  { share: 0.5 },
  { passes: 2 },
  { learningRate: 1e-4 },
  { fusion: { truncated: 'renormalise' } },
  { fusion: { preset: 'fusellm' } },
])('%o has another one', (changes) => {
  expect(keyOf(changes)).not.toBe(keyOf({}));
});

test.each(Object.keys(circumstances))('another %s gives another key', (name) => {
  expect(keyOf({}, { [name]: 'another' })).not.toBe(keyOf({}));
});

test('the target before any training is the same under all settings', () => {
  expect(keyOf({ share: 0, lambda: 0.5 })).toBe(keyOf({ share: 0 }));
});
