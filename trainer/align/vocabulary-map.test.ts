import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exactVocabularyMap,
  identicalVocabularyMap,
  NOT_MAPPED,
  type TokenVocabulary,
} from './vocabulary-map.ts';

function vocabulary(tokens: readonly (string | undefined)[]): TokenVocabulary {
  return { vocabularySize: tokens.length, tokenBytes: (id) => tokens[id] };
}

const tokens = fc.array(
  fc.option(fc.string({ minLength: 1, maxLength: 2, unit: 'grapheme-ascii' }), { nil: undefined }),
);

describe('exactVocabularyMap', () => {
  it('maps to the first target token of the same bytes, and special tokens to none', () => {
    fc.assert(
      fc.property(tokens, tokens, (teacher, target) => {
        const map = exactVocabularyMap(vocabulary(teacher), vocabulary(target));
        expect([...map]).toEqual(
          teacher.map((token) => (token === undefined ? NOT_MAPPED : target.indexOf(token))),
        );
      }),
    );
  });
});

describe('identicalVocabularyMap', () => {
  it('maps every id to itself', () => {
    expect([...identicalVocabularyMap(3)]).toEqual([0, 1, 2]);
  });
});
