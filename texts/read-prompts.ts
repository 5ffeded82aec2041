import { type Prompt, promptContent } from './prompt-content.ts';
import { type FileText, type FileTextOptions, readFileRows, type TextEntry } from './read-texts.ts';

/**
 * The prompts of one file, in the order of its rows (prompt-content.ts).
 *
 * @throws FuseMeshError invalid_argument for a file that cannot be read, or a row that is no prompt where the entry does
 *   not skip these
 */
export function readFilePrompts(
  file: string,
  { column, invalid }: Pick<TextEntry, 'column' | 'invalid'>,
  options: FileTextOptions = {},
): AsyncGenerator<FileText<Prompt>> {
  return readFileRows(
    file,
    { column, invalid, purpose: 'prompts', read: (row) => promptContent(row, column) },
    options,
  );
}
