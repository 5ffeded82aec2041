import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { textsOf } from '../../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import { cutCorpus, findCorpusFiles } from '../../../services/feeder/cut-corpus.ts';
import { mixDomains } from '../../../services/feeder/document-order.ts';
import { encoderIn } from '../../../services/feeder/encoders-of-run.ts';
import { findTextFiles } from '../../../texts/find-text-files.ts';
import type { TextEntry } from '../../../texts/read-texts.ts';

/** The documents of a run. */
export interface Documents {
  readonly texts: readonly string[];
  /** Of each. */
  readonly domains: readonly string[];
  /** Of the texts, in hexadecimal. */
  readonly sha256: string;
  /** In tokens, that none of them exceeds. */
  readonly contextLength: number;
}

/** Directories of all models of a run: its target, then its teachers. */
export const modelsOf = ({ target, teachers }: RunConfig): string[] => [
  target.model,
  ...teachers.flatMap(({ model }) => model ?? []),
];

/** The pieces that the feeder of a run makes documents of, before a seed puts them into its order. */
export async function documentsOf(run: RunConfig, signal: AbortSignal): Promise<Documents> {
  const encoders = await Promise.all(modelsOf(run).map((model) => encoderIn(model)));
  const { contextLength } = run;
  const names = [...new Set(textsOf(run).map(({ domain }) => domain))];
  const pieces: string[] = [];
  const domains: number[] = [];
  const cutting = { encoders, contextLength, signal };
  for await (const cut of cutCorpus(await findCorpusFiles(textsOf(run)), cutting)) {
    for (const { content } of cut.pieces) {
      if (typeof content !== 'string') throw new Error(`${cut.domain} has conversations`);
      pieces.push(content);
      domains.push(names.indexOf(cut.domain));
    }
  }
  const order = [...mixDomains(Uint32Array.from(domains))];
  const texts = order.map((piece) => pieces[piece]);
  return {
    texts,
    domains: order.map((piece) => names[domains[piece]]),
    sha256: digestTexts(texts),
    contextLength,
  };
}

/** The texts of a run file's entries, as they are on disk. */
export async function readEntries(entries: readonly TextEntry[]): Promise<string[]> {
  const files = await Promise.all(entries.map(({ path }) => findTextFiles(path)));
  return Promise.all(files.flatMap((found) => found.files).map((file) => readFile(file, 'utf8')));
}

export function digestTexts(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${Buffer.byteLength(text)} `).update(text);
  return hash.digest('hex');
}
