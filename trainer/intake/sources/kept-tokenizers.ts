import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onDisk } from '../../../errors/on-disk.ts';
import { replaceDurably } from '../../../model/export/durable-files.ts';
import { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import type { Source } from './source.ts';

/** A source's name is a file's name: lower-case letters, digits and dashes. */
const pathOf = (output: string, name: string): string => join(output, 'tokenizers', `${name}.json`);

/** How its model reads conversations, and the size of its vocabulary, lie beside it. */
const formatPathOf = (output: string, name: string): string => join(output, 'tokenizers', `${name}.chat`);

const sizePathOf = (output: string, name: string): string => join(output, 'tokenizers', `${name}.size`);

/**
 * OUTPUT/tokenizers: the tokenizers of sources that have once been there. A trainer that is started again can
 * use what the streams still hold of a source that never comes back.
 *
 * @throws FuseMeshError invalid_argument where a file is no tokenizer
 */
export async function recallTokenizers(output: string, sources: readonly Source[]): Promise<void> {
  for (const source of sources) {
    try {
      const json = await readFile(pathOf(output, source.name));
      const vocabularySize = Number(await readFile(sizePathOf(output, source.name), 'utf8'));
      if (!(vocabularySize > 0)) continue;
      source.vocabularySize ||= vocabularySize;
      if (source.tokenizer !== undefined) continue;
      source.tokenizer = Tokenizer.fromJson(json, pathOf(output, source.name));
      source.chatFormat = JSON.parse(await readFile(formatPathOf(output, source.name), 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Returns when it is on disk. */
export async function keepTokenizer(
  output: string,
  { name, vocabularySize, chatFormat }: Pick<Source, 'name' | 'vocabularySize' | 'chatFormat'>,
  { json }: Tokenizer,
): Promise<void> {
  const path = pathOf(output, name);
  await onDisk(path, async () => {
    await mkdir(join(output, 'tokenizers'), { recursive: true });
    await replaceDurably(sizePathOf(output, name), `${vocabularySize}\n`);
    await replaceDurably(formatPathOf(output, name), JSON.stringify(chatFormat));
    await replaceDurably(path, json);
  });
}
