import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import { openSecurity } from '../../../process/security/service-security.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { keepTokenizer, recallTokenizers } from './kept-tokenizers.ts';
import { Source } from './source.ts';

const zoo = join(import.meta.dirname, '../../../examples/zoo');
function source(name: string): Source {
  const made = new Source(name, '', openSecurity);
  made.vocabularySize = 512;
  return made;
}

it('knows the tokenizer of a source again that has once been there, and of no other', async () => {
  const output = await temporaryDirectory();
  const sources = [source('orator'), source('novelist')];
  await recallTokenizers(output, sources);
  expect(sources.map(({ tokenizer }) => tokenizer)).toEqual([undefined, undefined]);

  const own = await Tokenizer.fromFile(join(zoo, 'orator', 'tokenizer.json'));
  await keepTokenizer(output, sources[0], own);
  await recallTokenizers(output, sources);
  expect(sources[0].tokenizer?.fingerprint).toEqual(own.fingerprint);
  expect(sources[1].tokenizer).toBeUndefined();

  await writeFile(join(output, 'tokenizers', 'novelist.size'), '512\n');
  await writeFile(join(output, 'tokenizers', 'novelist.json'), '{"tru');
  await expect(recallTokenizers(output, sources)).rejects.toThrow(/novelist\.json/);
});
