import { readFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { Tokenizer } from './tokenizer.ts';

const root = join(import.meta.dirname, '../..');

/** What AutoTokenizer makes of "Hello world": test/oracle/prefix_space.py. */
const golden: readonly {
  readonly tokenizer: string;
  readonly class: string;
  readonly model_type: string;
  readonly add_prefix_space: boolean;
  readonly tokens: readonly string[];
}[] = JSON.parse(readFileSync(join(root, 'test/golden-prefix-space.json'), 'utf8'));

test.each(golden)('$tokenizer as $class of $model_type, $add_prefix_space', async (example) => {
  const { tokenizer, class: tokenizer_class, model_type, add_prefix_space, tokens } = example;
  const directory = await temporaryDirectory();
  const path = join(directory, 'tokenizer.json');
  await copyFile(join(root, 'examples/zoo', tokenizer, 'tokenizer.json'), path);
  await writeFile(
    join(directory, 'tokenizer_config.json'),
    JSON.stringify({ tokenizer_class, add_prefix_space }),
  );
  await writeFile(join(directory, 'config.json'), JSON.stringify({ model_type }));
  const read = await Tokenizer.fromFile(path);
  const { ids, starts } = await read.encode('Hello world');
  const special = [...ids].filter((id) => read.tokenBytes(id) === undefined).length;
  expect([...ids].slice(special).map((id) => read.tokenString(id))).toEqual(tokens);
  expect(starts[special]).toBe(0);
  // Whoever is given its bytes has the same tokenizer.
  const given = Tokenizer.fromJson(read.json);
  expect((await given.encode('Hello world')).ids).toEqual(ids);
  expect(given.fingerprint).toEqual(read.fingerprint);
});
