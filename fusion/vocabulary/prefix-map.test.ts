import { beforeAll, describe, expect, it } from 'vitest';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { loadRealTokenizer } from '../../test/support/real-tokenizer.ts';
import { exactVocabularyMap, NOT_MAPPED } from './exact-map.ts';
import { prefixVocabularyMap } from './prefix-map.ts';
import { sourceVocabulary } from './source-vocabulary.ts';

let llama2: Tokenizer;
let gpt2: Tokenizer;
let gpt4o: Tokenizer;
beforeAll(async () => {
  [llama2, gpt2, gpt4o] = await Promise.all((['llama2', 'gpt2', 'gpt4o'] as const).map(loadRealTokenizer));
});

const bytes = (text: string) => Buffer.from(text).toString('latin1');
const idOf = (tokenizer: Tokenizer, text: string) => {
  for (let id = tokenizer.vocabularySize - 1; id >= 0; id--)
    if (tokenizer.tokenBytes(id) === bytes(text) && !tokenizer.isByteFallback(id)) return id;
  throw new Error(`no token "${text}"`);
};

describe('prefixVocabularyMap', () => {
  it('gives every token of text the beginning of its own bytes', async () => {
    for (const [source, target] of [
      [gpt2, llama2],
      [llama2, gpt2],
    ]) {
      const map = await prefixVocabularyMap(source, target);
      const unmapped: (string | undefined)[] = [];
      for (const [id, to] of map.entries()) {
        const own = source.tokenBytes(id);
        if (to === NOT_MAPPED) unmapped.push(own);
        else expect(own!.startsWith(target.tokenBytes(to)!)).toBe(true);
      }
      // Special tokens.
      expect(unmapped.filter((own) => own !== undefined)).toEqual([]);
    }
  });

  it('gives what the target would see first in the middle of a text', async () => {
    const toLlama = await prefixVocabularyMap(gpt2, llama2);
    const first = (text: string) => llama2.tokenBytes(toLlama[idOf(gpt2, text)]);
    expect(first(' shortcut')).toBe(' short');
    expect(first(' the')).toBe(' the');
    expect(first('orate')).toBe('ora');
    const toGpt2 = await prefixVocabularyMap(llama2, gpt2);
    expect(gpt2.tokenBytes(toGpt2[idOf(llama2, ' tiene')])).toBe(' ti');
    expect(gpt2.tokenBytes(toGpt2[idOf(llama2, '系')])).toBe(bytes('系').slice(0, 1));
  });

  it('maps characters to the tokens that Llama-2 writes, not to its bytes', async () => {
    const exact = exactVocabularyMap(gpt2, llama2);
    const { ids } = await llama2.encode('a0');
    expect(exact[idOf(gpt2, '0')]).toBe(ids.at(-1));
  });
});

describe('sourceVocabulary', () => {
  it('knows which tokens of a source that splits digits begin longer tokens of the target', async () => {
    const ids = await prefixVocabularyMap(llama2, gpt4o);
    const { beginsLonger, exact } = await sourceVocabulary(ids, llama2, gpt4o);
    for (const digit of '0123456789') {
      expect(beginsLonger[idOf(llama2, digit)]).toBe(1);
      expect(exact[idOf(llama2, digit)]).toBe(1);
    }
    // The other way round, nothing of digits begins anything longer.
    const back = await sourceVocabulary(await prefixVocabularyMap(gpt4o, llama2), gpt4o, llama2);
    for (const number of ['2', '20', '201']) expect(back.beginsLonger[idOf(gpt4o, number)]).toBe(0);
  });
});
