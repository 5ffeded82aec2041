import { expect, test } from 'vitest';
import { NOT_MAPPED } from './exact-map.ts';
import { sameVocabulary, withinModel } from './source-vocabulary.ts';

test('nothing becomes a token of the target that its model does not know', () => {
  const vocabulary = sameVocabulary(4);
  expect(withinModel(vocabulary, 4)).toBe(vocabulary);
  expect(withinModel(vocabulary, 3)).toEqual({
    ids: Int32Array.of(0, 1, 2, NOT_MAPPED),
    exact: Uint8Array.of(1, 1, 1, 0),
    beginsLonger: vocabulary.beginsLonger,
  });
});
