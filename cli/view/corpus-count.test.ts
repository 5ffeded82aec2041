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
