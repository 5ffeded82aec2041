import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactVocabularyMap, identicalVocabularyMap, NOT_MAPPED, type TokenVocabulary } from './exact-map.ts';

function vocabulary(tokens: readonly (string | undefined)[]): TokenVocabulary {
  return { vocabularySize: tokens.length, tokenBytes: (id) => tokens[id], isByteFallback: () => false };
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

it('never maps to a byte that the target falls back to where it has the character itself', () => {
  const target = {
    vocabularySize: 4,
    tokenBytes: (id: number) => ['a', '\xc3', 'a', 'a'][id],
    isByteFallback: (id: number) => id < 2,
  };
  expect([...exactVocabularyMap(vocabulary(['a', '\xc3']), target)]).toEqual([2, 1]);
});

describe('identicalVocabularyMap', () => {
  it('maps every id to itself', () => {
    expect([...identicalVocabularyMap(3)]).toEqual([0, 1, 2]);
  });
});
