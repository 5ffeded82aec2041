import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from './durable-files.ts';

/** The files that Hugging Face libraries read from a model directory besides the weights. */
const companions = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'tokenizer.model',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
];

/** Copies those of a model's companion files that exist. */
export async function copyCompanionFiles(model: string, directory: string): Promise<void> {
  for (const name of companions) {
    let content: Uint8Array;
    try {
      content = await readFile(join(model, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    await writeDurably(join(directory, name), content);
  }
}
