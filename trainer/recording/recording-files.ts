import { join } from 'node:path';

/** The file of the documents, without its ending. */
export const documentsPart = 'documents';

/** The file of what a source says. Names of sources are names of files: lower-case letters, digits and dashes. */
export const sourcePart = (name: string): string => `sources/${name}`;

/** Records back to back. */
export const dataPath = (directory: string, part: string): string => join(directory, `${part}.records`);

/** Where each of them is. */
export const indexPath = (directory: string, part: string): string => join(directory, `${part}.index`);

/** @param sha256 of the tokenizer.json */
export const tokenizerPath = (directory: string, sha256: string): string =>
  join(directory, 'tokenizers', `${sha256}.json`);
