import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { goldenGguf } from '../../test/support/gguf.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { GgufFile } from './gguf-file.ts';
import type { GgufValue } from './header.ts';
import { Metadata } from './metadata.ts';
import { preTokenizers } from './pre-tokenizers.ts';
import { tokenizerFiles } from './tokenizer-files.ts';
import { readVocabulary } from './vocabulary.ts';

interface Golden {
  readonly texts: readonly string[];
  readonly ids: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** transformers' patterns by tokenizer.ggml.pre. */
  readonly splits: Readonly<Record<string, string>>;
}
const golden = JSON.parse(readFileSync(goldenGguf('tokens.json'), 'utf8')) as Golden;

async function tokenizerOf(
  name: string,
  changes: Readonly<Record<string, GgufValue>> = {},
): Promise<Tokenizer> {
  const file = await GgufFile.open(goldenGguf(`${name}.gguf`));
  await file.close();
  const metadata = new Metadata({
    path: file.path,
    metadata: new Map([...file.metadata, ...Object.entries(changes)]),
  });
  const { tokenizer } = tokenizerFiles(metadata, readVocabulary(metadata), 64);
  return Tokenizer.fromJson(JSON.stringify(tokenizer));
}

describe.each(Object.keys(golden.ids))('%s', (name) => {
  it.each(golden.texts.map((text, i) => [JSON.stringify(text), i] as const))('%s', async (_text, i) => {
    const tokenizer = await tokenizerOf(name);
    const { ids } = await tokenizer.encode(golden.texts[i]);
    expect([...ids]).toEqual(golden.ids[name][i]);
  });
});

it('special tokens in a text are tokens, and rows that no token has are none', async () => {
  const tokenizer = await tokenizerOf('qwen2');
  const { ids } = await tokenizer.encode('<|im_start|>a<|im_end|>');
  expect(ids[0]).toBe(331);
  expect(ids.at(-1)).toBe(332);
  expect(tokenizer.vocabularySize).toBe(333);
});

it('what the file says of spaces and of tokens around a text is done', async () => {
  const tokens = async (changes: Readonly<Record<string, GgufValue>>) => {
    const tokenizer = await tokenizerOf('llama', changes);
    const { ids } = await tokenizer.encode('the');
    return Array.from(ids, (id) => tokenizer.tokenString(id));
  };
  expect(await tokens({})).toEqual(['<s>', '▁the']);
  expect(await tokens({ 'tokenizer.ggml.add_bos_token': false })).toEqual(['▁the']);
  expect((await tokens({ 'tokenizer.ggml.add_space_prefix': false })).join('')).toBe('<s>the');
});

it.each([...preTokenizers.keys()])('with the pre-tokenizer %s nothing of a text is lost', async (name) => {
  const tokenizer = await tokenizerOf('qwen2', {
    'tokenizer.ggml.pre': name,
    'tokenizer.ggml.bos_token_id': 330,
  });
  for (const text of golden.texts) {
    const { ids } = await tokenizer.encode(text);
    expect((await tokenizer.decode(ids)).normalize('NFC')).toBe(text.normalize('NFC'));
  }
});

const known = Object.entries(golden.splits).filter(([name]) => preTokenizers.has(name));

it.each(known)('the pre-tokenizer %s cuts as transformers does', (name, pattern) => {
  const { preTokenizer } = preTokenizers.get(name)!;
  expect(preTokenizer).toMatchObject({ pretokenizers: [{ type: 'Split', pattern: { Regex: pattern } }, {}] });
});
