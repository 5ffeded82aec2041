import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { splitText } from '../../texts/split-text.ts';
import { zoo } from '../fusion/zoo-documents.ts';

const files = ['fiction.txt', 'manuals.txt', 'speeches.txt'];

/** Real texts as the feeder cuts them, so many of each file: none longer than the context in any tokenizer. */
export async function cutTexts(
  tokenizers: readonly Tokenizer[],
  contextLength: number,
  ofEachFile: number,
): Promise<string[]> {
  const texts: string[] = [];
  for (const file of files) {
    const text = await readFile(join(zoo, 'corpus', file), 'utf8');
    const characters = ofEachFile * contextLength * 5;
    const pieces = await splitText(text.slice(0, characters), tokenizers, contextLength);
    texts.push(...pieces.slice(0, ofEachFile));
  }
  return texts;
}
