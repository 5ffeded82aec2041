import { expect, test } from 'vitest';
import { zooEncoder } from '../../test/support/zoo-encoder.ts';
import { SkippedRows } from '../../texts/skipped-rows.ts';
import { corpusCountText } from './corpus-count.ts';

test('an example stands in the tokens of each model, whatever its letters are', async () => {
  const encoder = await zooEncoder('novelist');
  const text = '»Ähm« — said the whale';
  const counted = {
    files: 1,
    texts: 1,
    documents: 1,
    textBytes: Buffer.byteLength(text),
    skipped: new SkippedRows(),
    tokens: [9],
    learnt: [9],
    examples: [{ domain: 'fiction', content: text }],
  };
  const shown = await corpusCountText(counted, [{ name: 'novelist', encoder }]);
  expect(shown).toContain('1 documents of 1 texts in 1 files');
  // Bytes of a letter that has no token of its own show as U+FFFD; all else spells the text.
  const line = shown.trimEnd().split('\n').at(-1);
  expect(line).toMatch(/^novelist {2}<1>\|.*m.* said\| the\| whale$/);
});

test('a conversation stands in what each template makes of it, with what is learnt in green', async () => {
  const template = '{% for message in messages %}<{{ message.role }}>{{ message.content }}</s>{% endfor %}';
  const encoder = await zooEncoder('novelist', template);
  const content = {
    turns: [
      { role: 'user', content: 'Who?', learnt: false, extras: '' },
      { role: 'assistant', content: 'the whale', learnt: true, extras: '' },
    ],
    tools: '',
  };
  const counted = {
    files: 1,
    texts: 1,
    documents: 1,
    textBytes: 13,
    skipped: new SkippedRows({ 'too long': 2 }),
    tokens: [20],
    learnt: [3],
    examples: [{ domain: 'fiction', content }],
  };
  const green = (text: unknown) => `{${text}}`;
  const shown = await corpusCountText(counted, [{ name: 'novelist', encoder }], { green });
  expect(shown).toContain('2 rows or parts of them are left out: 2 too long');
  expect(shown).toContain('20 tokens, 0.65 bytes each; 3 of them are learnt');
  expect(shown).toContain('fiction, 2 turns: user, assistant');
  const line = shown.trimEnd().split('\n').at(-1) ?? '';
  expect(line.replaceAll('|', '').replaceAll('}{', '')).toBe(
    'novelist   <user>Who?</s> <assistant>{the whale</s>}',
  );
});
